"""Office files by walks of our own: zipped XML of Microsoft Office and of OpenDocument, without a package."""
