"""A program to freeze: the `colibri` command."""

from colibri.cli import main

if __name__ == "__main__":
    main()
