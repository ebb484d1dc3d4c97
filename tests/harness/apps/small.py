"""As little as a page can be."""

import streamlit as st

st.write("small")
