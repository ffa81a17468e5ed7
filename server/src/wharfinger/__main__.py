"""The program ``wharfd``, also as ``python -m wharfinger``."""

import gc


def main() -> None:
    """Load the commands and run the one that is asked for.

    Collecting garbage while importing finds none and costs a tenth of a cold start. The command
    switches it on again; serving does so once everything is imported.
    """
    gc.disable()
    from wharfinger.commands import main as commands

    commands(prog_name="wharfd")


if __name__ == "__main__":
    main()
