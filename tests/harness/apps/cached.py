"""Keeps something for all visitors, as a model is kept; guarded as app.py is."""

from uuid import uuid4

import streamlit as st

from ui.server.guards import protect

protect()
st.text(st.cache_resource(show_spinner=False)(uuid4)().hex)
