"""`python -m glas` and the `glas` command."""

from glas.cli import app


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
