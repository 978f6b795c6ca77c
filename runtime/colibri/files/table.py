"""The kinds of file there are, as data: what they are called, which module reads them, what that needs."""

from colibri.files.kind import Kind


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


PLAIN, HTML = "text", "HTML"
PDF, MAN = "PDF", "man page"

READ = (
    Kind(
        name=PLAIN,
        form="text",
        module="plain",
        plain=True,
        endings=_words(
            ".txt .text .md .markdown .mdown .mdx .rst .rest .adoc .asciidoc .org .log .toml .yaml .yml .ini .cfg "
            ".conf .xml .xsl .xsd .dtd .rss .atom .opml .diff .patch .properties .env .lock .nfo .textile .wiki .bib "
            "dockerfile containerfile procfile readme license licence copying notice authors changelog changes news "
            "todo install contributing"
        ),
    ),
    Kind(
        name="source code",
        form="text",
        module="code",
        endings=_words(
            ".py .pyi .pyw .pyx .pxd .bzl .star .sage .rb .rake .gemspec .cr .js .mjs .cjs .jsx .vue .svelte .ts .tsx "
            ".mts .cts .c .h .cc .cpp .cxx .hpp .hh .hxx .ino .cu .cuh .mm .m .java .cs .kt .kts .scala .sc .sbt "
            ".groovy .gradle .go .rs .swift .php .phtml .dart .d .sol .zig .proto .thrift .graphql .gql .tf .hcl "
            ".tfvars .css .scss .sass .less .pl .pm .t .lua .luau .jl .r .hs .lhs .ml .mli .fs .fsi .fsx .elm .ex "
            ".exs .erl .hrl .clj .cljs .cljc .edn .scm .ss .rkt .lisp .lsp .cl .el .sql .ddl .psql .sh .bash .zsh "
            ".ksh .bats .fish .ps1 .psm1 .psd1 .bat .cmd .mk .mak .make .cmake .f .f77 .f90 .f95 .f03 .f08 .for .ada "
            ".adb .ads .pas .pp .dpr .lpr .vb .bas .cls .frm .vbs .tcl .tk .nim .nims .v .sv .svh .vhd .vhdl .coffee "
            ".cob .cbl .asm .s .awk .sed .vim .glsl .wgsl .hlsl .nix .dhall .dockerfile .j2 .jinja .erb .ejs .hbs "
            ".mustache .twig makefile gnumakefile rakefile gemfile vagrantfile podfile jenkinsfile justfile "
            "sconstruct build workspace"
        ),
    ),
    Kind(name="TeX", form="text", module="tex", endings=_words(".tex .ltx .latex .sty .dtx")),
    Kind(name=MAN, form="text", module="man", endings=(".man", ".mdoc")),
    Kind(name="subtitles", form="text", module="subtitles", endings=_words(".srt .vtt .sbv .ass .ssa")),
    Kind(name="translations", form="text", module="po", endings=(".po", ".pot")),
    Kind(name="notebook", form="text", module="notebook", endings=(".ipynb",)),
    Kind(
        name="JSON rows",
        form="text",
        module="rows",
        function="rows",
        takes="fields",
        endings=(".jsonl", ".ndjson"),
        version=2,
    ),
    Kind(
        name="JSON",
        form="text",
        module="rows",
        function="rows",
        takes="fields",
        only_if="holds_rows",
        endings=(".json", ".json5", ".geojson"),
        version=2,
    ),
    Kind(name="CSV", form="text", module="tables", function="table", takes="fields", endings=_words(".csv .tsv .tab")),
    Kind(name=HTML, form="text", module="html", endings=_words(".html .htm .xhtml .xht .shtml")),
    Kind(name="saved page", form="text", module="mail", function="page", endings=(".mht", ".mhtml")),
    Kind(name="mail", form="text", module="mail", function="messages", endings=(".eml", ".emlx")),
    Kind(name="mailbox", form="text", module="mail", function="messages", endings=(".mbox", ".mbx")),
    Kind(name="calendar", form="text", module="calendar", function="entries", endings=_words(".ics .ical .ifb .vcs")),
    Kind(name="contacts", form="text", module="calendar", function="entries", endings=(".vcf", ".vcard")),
    Kind(name="EPUB", form="document", module="epub", endings=(".epub",)),
    Kind(name="FictionBook", form="text", module="fb2", endings=(".fb2",)),
    Kind(name="PDF", form="document", module="pdf", extra="files", endings=(".pdf",)),
    Kind(name="Word", form="document", module="office.docx", endings=_words(".docx .docm .dotx .dotm")),
    Kind(
        name="presentation",
        form="document",
        module="office.pptx",
        endings=_words(".pptx .pptm .ppsx .ppsm .potx .potm"),
    ),
    Kind(name="workbook", form="document", module="office.xlsx", endings=_words(".xlsx .xlsm .xltx .xltm .xlam")),
    Kind(
        name="OpenDocument",
        form="document",
        module="office.odf",
        endings=_words(".odt .ott .ods .ots .odp .otp .odg .otg .fodt .fods .fodp .fodg"),
    ),
    Kind(name="RTF", form="document", module="rtf", endings=(".rtf",)),
    Kind(name="Word 97", form="document", module="legacy", extra="files-all", endings=(".doc", ".dot")),
    Kind(name="PowerPoint 97", form="document", module="legacy", extra="files-all", endings=_words(".ppt .pps .pot")),
    Kind(name="Excel 97", form="document", module="legacy", extra="files-all", endings=(".xls", ".xlt")),
    Kind(name="binary workbook", form="document", module="legacy", extra="files-all", endings=(".xlsb",)),
    Kind(
        name="Outlook message",
        form="document",
        module="legacy",
        function="messages",
        extra="files-all",
        endings=(".msg",),
    ),
    *(
        Kind(name=name, form="document", module="archives", function="members", takes="wanted", endings=_words(endings))
        for name, endings in (
            ("zip", ".zip"),
            ("tar", ".tar .tgz .tbz .tbz2 .txz .tzst"),
            ("gzip", ".gz"),
            ("bzip2", ".bz2"),
            ("xz", ".xz .lzma"),
            ("zstandard", ".zst"),
        )
    ),
)

NOT_READ = (
    Kind(
        name="picture",
        endings=_words(
            ".jpg .jpeg .jpe .png .gif .bmp .tif .tiff .webp .heic .heif .avif .jxl .ico .icns .svg .svgz .psd .xcf "
            ".raw .cr2 .cr3 .nef .arw .dng .orf .rw2 .eps .ai .djvu .jp2 .exr .hdr .pcx .tga .wmf .emf"
        ),
    ),
    Kind(
        name="audio",
        endings=_words(".mp3 .m4a .m4b .aac .flac .ogg .oga .opus .wav .wma .aif .aiff .mid .midi .amr .ape"),
    ),
    Kind(
        name="video",
        endings=_words(".mp4 .m4v .mov .mkv .webm .avi .wmv .flv .mpg .mpeg .ogv .3gp .mts .m2ts .vob"),
    ),
    Kind(name="font", endings=_words(".ttf .otf .ttc .woff .woff2 .eot .pfb")),
    Kind(
        name="program",
        endings=_words(
            ".exe .dll .so .dylib .o .a .lib .obj .class .jar .war .apk .ipa .pyc .pyd .wasm .msi .deb .rpm .dmg .whl"
        ),
    ),
    Kind(name="archive of another kind", endings=_words(".rar .7z .cab .lzh .arj .lz4 .lz .z .ace .cpio")),
    Kind(name="disk image", endings=_words(".iso .img .vmdk .vdi .vhd .qcow2")),
    Kind(name="mail store", endings=_words(".pst .ost .nsf .dbx")),
    Kind(name="iWork document", endings=_words(".pages .numbers .key .keynote")),
    Kind(name="OneNote", endings=_words(".one .onetoc2")),
    Kind(name="Hangul document", endings=_words(".hwp .hwpx")),
    Kind(name="Publisher or Visio", endings=_words(".pub .vsd .vsdx .vss .mpp")),
    Kind(name="e-book of another kind", endings=_words(".mobi .azw .azw3 .prc .lit .cbz .cbr .chm")),
    Kind(name="PostScript or XPS", endings=_words(".ps .xps .oxps .dvi")),
    Kind(
        name="database",
        endings=_words(".sqlite .sqlite3 .db .mdb .accdb .parquet .feather .arrow .orc .avro .h5 .hdf5 .npy .npz .rdb"),
    ),
    Kind(name="model", endings=_words(".onnx .safetensors .gguf .ggml .pt .pth .ckpt .pb .tflite .bin")),
    Kind(name="key or certificate", endings=_words(".gpg .pgp .p12 .pfx .jks .keystore .kdbx .der .crt .cer .pem")),
    Kind(name="shortcut", endings=_words(".lnk .url .webloc .desktop")),
    Kind(name="large text of unknown kind"),
    Kind(name="binary"),
)
"""What is counted by kind and named, never read in silence. The last are told by content alone."""
