"""Numbers of the saturation pages → films, pictures, scripts. What the pages under pages/saturation/ draw."""
