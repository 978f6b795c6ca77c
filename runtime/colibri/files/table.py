"""The kinds of file there are, as data: what they are called, which module reads them, what that needs."""

from colibri.files.kind import Kind


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


PLAIN, ROWS_JSON, ROWS_CSV, HTML = "text", "JSON rows", "CSV", "HTML"
PDF, DOCX, EPUB, MAN = "PDF", "Word", "EPUB", "man page"

READ = (
    Kind(
        name=PLAIN,
        form="text",
        module="former",
        function="plain",
        plain=True,
        endings=_words(
            ".txt .text .md .markdown .mdx .rst .adoc .asciidoc .org .tex .log .po .srt .vtt .toml .yaml .yml .ini "
            ".cfg .conf .json .xml .diff .patch .properties .env .css .scss .sass .less .proto .graphql .tf .cmake .mk "
            "makefile gnumakefile dockerfile containerfile jenkinsfile rakefile gemfile vagrantfile procfile justfile "
            "readme license licence copying notice authors changelog changes news todo install contributing"
        ),
    ),
    Kind(
        name="source code",
        form="text",
        module="former",
        function="plain",
        plain=True,
        endings=_words(
            ".py .pyi .pyx .js .mjs .cjs .jsx .ts .mts .cts .tsx .vue .svelte .c .h .cc .cpp .cxx .hpp .hh .hxx .cs "
            ".java .kt .kts .scala .sc .groovy .gradle .go .rs .rb .php .pl .pm .t .lua .swift .m .mm .r .jl .hs .lhs "
            ".ml .mli .fs .fsx .fsi .elm .ex .exs .erl .hrl .clj .cljs .cljc .edn .el .lisp .lsp .scm .rkt .vim .sh "
            ".bash .zsh .fish .ksh .ps1 .psm1 .bat .cmd .sql .d .dart .zig .nim .cr .v .sv .vhd .vhdl .f .f77 .f90 "
            ".f95 .f03 .for .ada .adb .ads .pas .pp .dpr .vb .vbs .bas .cob .cbl .asm .s .awk .sed .tcl .sol .cu .cl "
            ".glsl .wgsl .hlsl .nix .dhall .bzl .dockerfile .j2 .jinja .erb .ejs .hbs .mustache .twig"
        ),
    ),
    Kind(name=ROWS_JSON, form="text", module="former", function="rows", takes="fields", endings=(".jsonl", ".ndjson")),
    Kind(name=ROWS_CSV, form="text", module="former", function="rows", takes="fields", endings=(".csv", ".tsv")),
    Kind(name=HTML, form="text", module="former", function="html", endings=(".html", ".htm", ".xhtml", ".xht")),
    Kind(name=MAN, form="text", module="former", function="plain", plain=True, endings=(".man", ".mdoc")),
    Kind(name=EPUB, form="document", module="former", function="epub", endings=(".epub",)),
    Kind(name=DOCX, form="document", module="former", function="docx", endings=(".docx",), extra="files"),
    Kind(name=PDF, form="document", module="former", function="pdf", endings=(".pdf",), extra="files"),
)

NOT_READ = (
    Kind(name="presentation", form="document", endings=_words(".pptx .pptm .ppsx .ppsm .potx .potm")),
    Kind(name="workbook", form="document", endings=_words(".xlsx .xlsm .xltx .xltm")),
    Kind(name="OpenDocument", form="document", endings=_words(".odt .ott .ods .ots .odp .otp .fodt .fods .fodp")),
    Kind(name="RTF", form="document", endings=(".rtf",)),
    Kind(name="FictionBook", form="text", endings=(".fb2",)),
    Kind(name="mail", form="text", endings=_words(".eml .mht .mhtml")),
    Kind(name="mailbox", form="text", endings=(".mbox",)),
    Kind(name="calendar", form="text", endings=(".ics",)),
    Kind(name="contacts", form="text", endings=(".vcf",)),
    Kind(name="notebook", form="text", endings=(".ipynb",)),
    Kind(name="zip", form="document", endings=(".zip",)),
    Kind(name="tar", endings=_words(".tar .tgz .tbz2 .txz")),
    Kind(name="gzip", endings=(".gz",)),
    Kind(name="bzip2", endings=(".bz2",)),
    Kind(name="xz", endings=(".xz",)),
    Kind(name="zstandard", endings=(".zst",)),
    Kind(name="Word 97", form="document", endings=_words(".doc .dot")),
    Kind(name="PowerPoint 97", form="document", endings=_words(".ppt .pps .pot")),
    Kind(name="Excel 97", form="document", endings=_words(".xls .xlt")),
    Kind(name="binary workbook", form="document", endings=(".xlsb",)),
    Kind(name="Outlook message", form="document", endings=(".msg",)),
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
