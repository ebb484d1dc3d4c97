"""What the guide of this page lets one try, and the pages it names."""

from ui.guide import Guide

GUIDE = Guide(tries=("lesson=45", "sheet=handout", "sheet=edit"))
