"""Languages of shells, builds, data, numbers and circuits, whose units end with their lines: what begins one."""

from colibri.files.kinds.languages import Language, language

SCRIPTED: dict[str, Language] = {
    "graphql": language(
        "graphql",
        "indents",
        (),
        (
            r"(?:extend[ ]+)?((?:type|interface|input|enum|union|scalar|query|mutation|subscription|"
            r"fragment|directive|schema)\b(?:[ ]+@?\w+)?)",
        ),
        above='["\x1f]',
    ),
    "terraform": language(
        "terraform",
        "indents",
        (),
        (
            r"((?:resource|data|module|variable|output|provider|locals|terraform|moved|"
            r"check)\b(?:[ ]+\"+)*)(?=[ ]*\{)",
        ),
        rename=((r"\"[ ]+\"", "."), (r"\"", "")),
        above=r"(?!)",
    ),
    "r": language(
        "r",
        "indents",
        (),
        (r"([\w.\"]+)[ ]*(?:<-|=)[ ]*function\b", r"set(?:Class|Method|Generic|RefClass|Validity)\([ ]*(\"+)"),
        rename=((r"[\"']", ""),),
        goes_on=r"[)\]}{]|else\b",
        above=r"(?!)",
    ),
    "sql": language(
        "sql",
        "indents",
        (),
        (
            r"((?:create|alter)\b(?:[ ]+(?:or|replace|global|local|temporary|temp|unique|materialized|"
            r"recursive|external|if|not|exists))*[ ]+(?:table|view|index|function|procedure|trigger|type|"
            r"schema|sequence|database|package(?:[ ]+body)?|role|policy|"
            r"extension)[ ]+(?:if[ ]+(?:not[ ]+)?exists[ ]+)?[\w.\"`\[\]]+)",
            r"(?<![^\n])((?:insert[ ]+into|update|delete[ ]+from|merge[ ]+into)[ ]+[\w.\"`]+)",
            r"(?<![^\n])(select|with)\b",
        ),
        any_case=True,
        above=r"(?!)",
        goes_on=r"(?!(?:create|alter|insert|update|delete|merge|select|with|drop|grant|set|comment|use)\b)",
        rename=(
            (r"^(?:create|alter)[ ]+", ""),
            (r"\b(?:or[ ]+replace|if[ ]+not[ ]+exists|if[ ]+exists)[ ]+", ""),
            (r"[\"`\[\]]", ""),
        ),
    ),
    "shell": language(
        "shell",
        "indents",
        (),
        (r"(?:function[ ]+)?([\w:.-]+)[ ]*\([ ]*\)(?=\s*[{(\n])", r"function[ ]+([\w:.-]+)(?=\s*\{)"),
        nested=True,
        above=r"(?!)",
        goes_on=r"[)\]}{]|(?:fi|done|esac|else|elif|then|do)\b",
    ),
    "make": language(
        "hash",
        "indents",
        (),
        (r"(?<![^\n])([^\s:=#.][^:=#\n]*?)[ ]*::?(?![=:])", r"(?<![^\n])define[ ]+([\w.-]+)"),
        above=r"\.PHONY",
        goes_on=r"(?:endef|endif|else|ifn?eq|ifn?def)\b",
    ),
    "cmake": language(
        "cmake",
        "indents",
        (),
        (
            r"(?:function|macro)[ ]*\([ ]*(\w+)",
            r"((?:add_executable|add_library|add_custom_target)[ ]*\(\s*[\w.:${}-]+)",
        ),
        any_case=True,
        above=r"(?!)",
        rename=((r"[ ]*\([ ]*", " "),),
        goes_on=r"[)]|end\w*|else\w*",
    ),
    "fortran": language(
        "fortran",
        "ends",
        (
            r"(?:module(?![ ]+procedure)|program|submodule[ ]*\([^()\n]*\))[ ]+(\w+)",
            r"(abstract[ ]+interface|interface(?:[ ]+[\w()=.*+/-]+)?)[ \t]*$",
        ),
        (
            r"(?:(?:pure|elemental|recursive|impure|module|integer|real|double[ ]+precision|complex|"
            r"logical|character|type|class)(?:[ ]*\*[ ]*\d+|[ ]*\([^()\n]*\))?[ ]+)*(?:subroutine|"
            r"function)[ ]+(\w+)",
            r"type(?:[ ]*,[^\n:]*)?(?:[ ]*::[ ]*|[ ]+)(?!is\b)(\w+)[ \t]*$",
        ),
        ends=r"^[ \t]*end[ ]*(?:(?:subroutine|function|module|program|submodule|type|interface)\b[^\n]*|$)",
        any_case=True,
        nested=True,
        above=r"(?!)",
    ),
    "tcl": language(
        "hash",
        "indents",
        (r"(?:namespace[ ]+eval|oo::class[ ]+create)[ ]+([\w:]+)",),
        (r"(?:proc|method)[ ]+([\w:]+)", r"(constructor|destructor)\b"),
        join="::",
        above=r"(?!)",
    ),
    "matlab": language(
        "matlab",
        "indents",
        (r"classdef[ ]+(?:\([^()\n]*\)[ ]*)?(\w+)", r"(properties|methods|events|enumeration)\b(?=[ \t]*(?:\(|$))"),
        (r"function[ ]+(?:[^=\n(]*=[ ]*)?([\w.]+)",),
        above=r"(?!)",
        goes_on=r"(?!function\b|classdef\b)",
    ),
    "verilog": language(
        "java",
        "indents",
        (r"(?:module|interface|class|package|program)[ ]+(?:automatic[ ]+|static[ ]+)?(\w+)",),
        (
            r"(?:virtual[ ]+|static[ ]+)*(?:function|task)[ ]+(?:automatic[ ]+|"
            r"static[ ]+)?(?:[\w:\[\] -]+[ ])?(\w+)(?=[ ]*[(;])",
        ),
        above=r"\(\*",
    ),
    "vhdl": language(
        "ada",
        "indents",
        (r"(?:entity|architecture|package(?:[ ]+body)?)[ ]+(\w+)",),
        (r"(?:procedure|(?:im)?pure[ ]+function|function)[ ]+(\w+)", r"(\w+)[ ]*:[ ]*process\b"),
        any_case=True,
        above=r"(?!)",
        goes_on=r"(?:begin|end)\b|\)",
    ),
    "vim": language(
        "vim",
        "indents",
        (),
        (r"(?:fun?|func|function|def)!?[ ]+((?:[sgbwl]:|<SID>)?[\w#.]+)(?=[ ]*\()", r"augroup[ ]+(?!END)(\w+)"),
        above=r"(?!)",
        goes_on=r"end\w*|else\w*|augroup[ ]+END",
        any_case=True,
    ),
    "awk": language("hash", "indents", (), (r"func(?:tion)?[ ]+(\w+)[ ]*\(",), above=r"(?!)", goes_on=r"[)\]}{]"),
    "prolog": language(
        "prolog",
        "indents",
        (),
        (r"(?<![^\n])([a-z]\w*)(?=\([^\n]*(?:\.|:-|-->|,)[ \t]*$)",),
        clauses=True,
        above=r"(?!)",
    ),
}
