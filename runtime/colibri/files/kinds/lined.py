"""Languages whose units end with their lines, by indentation or by a word: what begins one."""

from colibri.files.kinds.languages import Language, language

_W = r"[^\W\d][\w$]*+"
_LISP = language(
    "lisp",
    "indents",
    (),
    (
        r"\([ ]*(?:cl:)?(?:def(?!ault)[\w*!?/+-]*|ns|define[\w*-]*)[ ]+(?:\^\S+[ ]+|"
        r"\^\{[^}\n]*\}[ ]+)*\(?[ ]*([^\s()\[\]{}]+)",
    ),
    above=r"(?!)",
)
LINED: dict[str, Language] = {
    "python": language(
        "python",
        "indents",
        (rf"(?:class|cdef[ ]+class)[ ]+({_W})",),
        (rf"(?:async[ ]+)?(?:def|cpdef|cdef)[ ]+(?:[\w.*\[\]]+[ ]+)*({_W})(?=[ ]*[(\[])",),
        nested=True,
        goes_on=r"[)\]}]",
    ),
    "ruby": language(
        "ruby",
        "indents",
        (r"(?:class|module)[ ]+(?!<<)([\w:]+)",),
        (
            r"(?:(?:private|protected|public|private_class_method)[ ]+)?def[ ]+((?:self\.)?[^\s(;=]+=?)",
            r"(?:task|namespace)[ ]+:?([\w\"]+)[^\n]*\bdo\b",
        ),
        rename=((r"^self\.", ""), (r"\"", "")),
        above=r"(?!)",
    ),
    "perl": language(
        "perl",
        "indents",
        (),
        (r"sub[ ]+([\w:']+)",),
        sections=r"^[ \t]*package[ ]+([\w:]+)[ ]*;",
        join="::",
        above=r"(?!)",
        goes_on=r"[)\]}{]",
    ),
    "lua": language(
        "lua",
        "indents",
        (),
        (r"(?:local[ ]+)?function[ ]+([\w.:]+)", r"(?:local[ ]+)?([\w.:]+)[ ]*=[ ]*function\b"),
        nested=True,
        above=r"(?!)",
    ),
    "julia": language(
        "julia",
        "indents",
        (),
        (
            r"(?:function|macro)[ ]+([\w.!]+)",
            r"(?:mutable[ ]+)?struct[ ]+(\w+)",
            r"abstract[ ]+type[ ]+(\w+)",
            r"([\w.!]+)\([^()\n]*\)(?:::\w+)?[ ]*=(?!=)",
        ),
        above='["\x1f@]',
        sections=r"^(?:bare)?module[ ]+(\w+)",
        goes_on=r"[)\]}]|(?:end|else|elseif|catch|finally)\b",
    ),
    "haskell": language(
        "haskell",
        "indents",
        (r"class[ ]+(?:[^=\n]*=>[ ]*)?(\w+)[^\n]*", r"(instance[ ][^\n]+?)(?=[ ]+where\b|$)"),
        (
            r"(?:data|newtype|type)(?:[ ]+(?:family|instance))?[ ]+(?:[^=\n]*=>[ ]*)?(\w+)",
            r"(?!(?:import|module|where|infix\w*|deriving|default|foreign|let|in|if|then|else|case|of|"
            r"do)\b)([a-z_][\w']*+)[ ]*+(?:::|(?=[^\n=]*+(?<![=<>/!|&+*-])=(?!=))|"
            r"(?=[^\n=]*+$(?:\n[ \t]+\|)))",
        ),
        clauses=True,
        goes_on=r"[)\]}]",
        above=r"\{-#",
    ),
    "ocaml": language(
        "ml",
        "indents",
        (r"(?:module|class)[ ]+(?:type[ ]+|rec[ ]+|virtual[ ]+)*(\w+)",),
        (
            r"(?:let|and)[ ]+(?:rec[ ]+)?([a-z_][\w']*|\([^()\n]+\))",
            r"(?:type|and|exception)[ ]+(?:[^=\n]*[ ])?(\w+)[ ]*(?==|$)",
            r"method[ ]+(?:private[ ]+|virtual[ ]+)*(\w+)",
        ),
        goes_on=r"[)\]}]|(?:end|in|with|then|else|done)\b|\|",
    ),
    "f#": language(
        "f#",
        "indents",
        (
            r"module[ ]+(?:rec[ ]+|private[ ]+|internal[ ]+)*([\w.]+)[ ]*(?==)",
            r"(?:type|and)[ ]+(?:private[ ]+|internal[ ]+)*(\w+)",
        ),
        (
            r"(?:let|and)[ ]+(?:rec[ ]+|inline[ ]+|private[ ]+|mutable[ ]+)*(\w+|\([^()\n]+\))",
            r"(?:(?:static|abstract|private|internal)[ ]+)*(?:member|override|default)[ ]+(?:(?:private|"
            r"internal|inline)[ ]+)*(?:\w+\.)?(\w+)",
            r"(new)[ ]*(?=\()",
        ),
        above=r"\[<",
        goes_on=r"[)\]}|]|(?:end|with|then|else|done|elif)\b",
    ),
    "elixir": language(
        "elixir",
        "indents",
        (r"(?:defmodule|defprotocol|defimpl)[ ]+([\w.]+)", r"describe[ ]+(\"+)[ ]+do\b"),
        (r"(?:defp?|defmacrop?|defguardp?|defdelegate)[ ]+([\w?!]+)", r"test[ ]+(\"+)"),
        clauses=True,
        above=r"@(?:doc|spec|impl|tag|deprecated)\b",
        rename=((r"\"", ""),),
    ),
    "erlang": language(
        "erlang",
        "indents",
        (),
        (r"(?<![^\n])([a-z]\w*)(?=\([^\n]*)", r"-(?:record|type|opaque)[ ]*\(?[ ]*(\w+)"),
        clauses=True,
        above=r"-(?:spec|doc)\b",
    ),
    "lisp": _LISP,
    "clojure": _LISP,
    "scheme": _LISP,
    "ada": language(
        "ada",
        "indents",
        (r"(?:package[ ]+(?:body[ ]+)?|(?:protected|task)[ ]+(?:type[ ]+|body[ ]+)?)([\w.]+)",),
        (r"(?:overriding[ ]+|not[ ]+)*(?:procedure|function)[ ]+([\w.]+|\"+)",),
        any_case=True,
        nested=True,
        above=r"(?!)",
        rename=((r"\"", ""),),
        goes_on=r"(?:begin|end|is|private|exception|return)\b|\)",
    ),
    "pascal": language(
        "pascal",
        "indents",
        (rf"({_W})[ ]*=[ ]*(?:packed[ ]+)?(?:class|record|interface|object)\b(?![ ]*;)",),
        (r"(?:class[ ]+)?(?:procedure|function|constructor|destructor|operator)[ ]+([\w.]+)",),
        any_case=True,
        above=r"\[",
        goes_on=r"(?:begin|end|var|const|type|label|private|public|protected|published|strict)\b",
    ),
    "vb": language(
        "vb",
        "ends",
        (
            r"(?:(?:public|private|friend|protected|partial|mustinherit|notinheritable|shadows|"
            r"default)[ ]+)*(?:class|module|structure|interface|namespace|enum)[ ]+([\w.]+)",
        ),
        (
            r"(?:(?:public|private|friend|protected|shared|static|overrides|overridable|mustoverride|"
            r"overloads|async|iterator|shadows|readonly|default)[ ]+)*(?:sub|function|"
            r"property(?![^\n]*\bAs\b[^\n(]*$)(?:[ ]+(?:get|let|set)(?=[ ]))?|operator)[ ]+(\w+)",
        ),
        ends=r"^[ \t]*end[ ]+(?:sub|function|property|operator|class|module|structure|interface|namespace|" r"enum)\b",
        any_case=True,
        above=r"<",
    ),
    "nim": language(
        "nim",
        "indents",
        (),
        (
            r"(?:proc|func|method|iterator|template|macro|converter)[ ]+([\w`\"]+)",
            r"(?:type[ ]+)?(\w+)\*?(?:\[[^\]\n]*\])?[ ]*=[ ]*(?:ref[ ]+)?(?:object|enum)\b",
        ),
        nested=True,
        above=r"(?!)",
        rename=((r"[`\"]", ""),),
        goes_on=r"[)\]}]",
    ),
    "coffeescript": language(
        "python",
        "indents",
        (rf"class[ ]+({_W})",),
        (rf"(@?{_W})[ ]*[=:][ ]*(?:\([^()\n]*\)[ ]*)?[-=]>",),
        nested=True,
        above=r"(?!)",
        goes_on=r"[)\]}]",
    ),
    "gdscript": language(
        "python",
        "indents",
        (r"class[ ]+(\w+)",),
        (r"(?:static[ ]+)?func[ ]+(\w+)", r"signal[ ]+(\w+)", r"enum[ ]+(\w+)"),
        goes_on=r"[)\]}]",
    ),
}
