"""How a cell of a Jacobian is told of."""

CELL = "∂y{number} / ∂z{key_number} = {value}"
