"""One look for every Plotly figure, light and dark, from the palette the canvas uses."""

import plotly.graph_objects as go

from ui.palette import Mode, hue


def styled(figure: go.Figure, mode: Mode, *, height: int) -> go.Figure:
    """The figure in the colours of the page: quiet axes, no title, room for tick labels."""
    ink, line = hue("ink", mode), hue("line", mode)
    axis = {
        "gridcolor": line,
        "zerolinecolor": line,
        "linecolor": line,
        "tickcolor": line,
        "automargin": True,
        "fixedrange": True,
    }
    figure.update_layout(
        template=None,
        height=height,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": ink, "size": 13},
        xaxis=axis,
        yaxis=axis,
        showlegend=False,
        hoverlabel={"bgcolor": ink, "font": {"color": hue("paper", mode)}},
    )
    return figure


def escaped(text: str) -> str:
    """Plotly reads labels as HTML, and Streamlit reads colour codes in them: neither may see what a visitor typed."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("#", "&#35;")
