"""``python -m wharf``."""

from wharf.entry import main

if __name__ == "__main__":
    main()
