"""Fingerprints of a run: those of its records, computed once, and anew for another run; the line beside the buttons."""

from streamlit.testing.v1 import AppTest


def page() -> None:
    """Asks twice about one run, then about another, and counts."""
    import streamlit as st

    from attention_core.experiments.pronoun import Pronoun
    from ui.compute.runs import Run
    from ui.training import live as module
    from ui.training import progress

    counted = []
    before = module.fingerprint

    def counting(records):
        counted.append(1)
        return before(records)

    module.fingerprint = counting
    try:
        progress.style("xy")
        for seed in (0, 1):
            config = Pronoun(seed=seed, steps=1, every=1, evaluated=64)
            run = Run.finished({"inverse_sqrt": config}, {"inverse_sqrt": list(config.records())})
            digests = [module.fingerprints("xy", run) for _ in range(3)]
            st.text(digests[0]["inverse_sqrt"] == before(run.records("inverse_sqrt")) and digests[0] == digests[2])
            st.text(digests[0]["inverse_sqrt"])
            st.text(len(counted))
    finally:
        module.fingerprint = before


def test_fingerprints_are_computed_once_a_run_and_kept_for_their_page() -> None:
    app = AppTest.from_function(page, default_timeout=60).run()
    assert not app.exception
    right, first, once, again, second, twice = [element.value for element in app.text]
    assert (right, again, once, twice) == ("True", "True", "1", "2") and first != second
    assert "answer_xy_hashes" in app.session_state
