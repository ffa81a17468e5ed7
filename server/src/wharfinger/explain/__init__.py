"""Why a request was refused: kept for some days, told to the caller and to the thing's owner."""
