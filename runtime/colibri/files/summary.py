"""What a run over files did, and all that it passed over."""

from collections.abc import Mapping
from dataclasses import dataclass, field

_REMARKS = 100  # of one file; more are counted


@dataclass
class Summary:
    """In files.

    moved     that were found under another path; they also count as unchanged, or as indexed where they were changed
    skipped   path -> why nothing of it is found
    remarks   path -> what of it was left out, a sentence each, of files that were read now
    not_read  ending, or kind where there is none -> how many files of kinds that nothing reads, those in archives too
    left_out  "hidden", "by .gitignore", "by --glob", "links", … -> how many files were not looked at for that; a folder
              counts as one
    """

    indexed: int = 0
    unchanged: int = 0
    removed: int = 0
    moved: int = 0
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

    def as_before(self, path: str, cut: str, not_read: Mapping[str, int]) -> None:
        """Count a file that is as the index has it, and say again what was said of it. cut: why it was cut short."""
        self.unchanged += 1
        for name, count in not_read.items():
            self.passed(name, count)
        if cut:
            self.remark(path, f"was not read to its end: {cut}")

    def add(self, other: "Summary") -> None:
        """Count what another run, or another part of this one, did as well."""
        for name in ("indexed", "unchanged", "removed", "moved"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.skipped |= other.skipped
        self.remarks |= other.remarks
        for mine, others in ((self.not_read, other.not_read), (self.left_out, other.left_out)):
            for label, count in others.items():
                mine[label] = mine.get(label, 0) + count
