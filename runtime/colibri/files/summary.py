"""What a run over files did, and all that it passed over."""

from dataclasses import dataclass, field

_REMARKS = 100  # of one file; more are counted


@dataclass
class Summary:
    """In files.

    skipped   path -> why nothing of it is found
    remarks   path -> what of it was left out, a sentence each, of files that were read now
    not_read  ending, or kind where there is none -> how many files of kinds that nothing reads, those in archives too
    left_out  "hidden", "by .gitignore", "by --glob", "links", … -> how many files were not looked at for that; a folder
              counts as one
    """

    indexed: int = 0
    unchanged: int = 0
    removed: int = 0
    skipped: dict[str, str] = field(default_factory=dict)
    remarks: dict[str, list[str]] = field(default_factory=dict)
    not_read: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)

    def remark(self, path: str, text: str) -> None:
        """Say something of a file, once."""
        said = self.remarks.setdefault(path, [])
        if text in said:
            return
        if len(said) <= _REMARKS:
            said.append(text if len(said) < _REMARKS else "and 1 more")
        else:
            said[-1] = f"and {int(said[-1].split()[1]) + 1} more"

    def passed(self, name: str, count: int = 1) -> None:
        """Count files that nothing reads."""
        self.not_read[name] = self.not_read.get(name, 0) + count
