"""What fails becomes one sentence, and Streamlit's own signals pass."""

from streamlit.testing.v1 import AppTest

from ui.text import words

UNEXPECTED = words("common", "en")["error.unexpected"]


def test_a_failing_fragment_is_one_sentence_and_the_rest_of_the_page_stands():
    def script():
        import streamlit as st

        from ui.errors import fragment

        @fragment
        def broken():
            raise ValueError("secret detail")

        broken()
        st.text("after")

    app = AppTest.from_function(script).run()
    assert not app.exception
    assert [error.value for error in app.error] == [UNEXPECTED]
    assert [text.value for text in app.text] == ["after"]


def test_stop_and_rerun_are_no_errors():
    def script():
        import streamlit as st

        from ui.errors import guarded

        with guarded():
            if "again" not in st.session_state:
                st.session_state.again = True
                st.rerun()
            st.text("second run")
            st.stop()

    app = AppTest.from_function(script).run()
    assert not app.exception and not app.error
    assert [text.value for text in app.text] == ["second run"]
