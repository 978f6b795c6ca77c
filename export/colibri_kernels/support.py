"""What compiled code asks for besides itself, as LLVM code: so that a library asks nothing of the outside.

Also what only the processor can tell, and the library's own version.
"""

_MEMORY = """
define hidden ptr @memcpy(ptr %to, ptr %from, i64 %size) #0 {
entry:
  %lines = and i64 %size, -16
  %some = icmp ne i64 %lines, 0
  br i1 %some, label %line, label %rest
line:
  %at = phi i64 [ 0, %entry ], [ %next, %line ]
  %source = getelementptr i8, ptr %from, i64 %at
  %target = getelementptr i8, ptr %to, i64 %at
  %value = load <16 x i8>, ptr %source, align 1
  store <16 x i8> %value, ptr %target, align 1
  %next = add i64 %at, 16
  %more = icmp ult i64 %next, %lines
  br i1 %more, label %line, label %rest
rest:
  %left = icmp ult i64 %lines, %size
  br i1 %left, label %byte, label %done
byte:
  %place = phi i64 [ %lines, %rest ], [ %following, %byte ]
  %byte.source = getelementptr i8, ptr %from, i64 %place
  %byte.target = getelementptr i8, ptr %to, i64 %place
  %octet = load i8, ptr %byte.source
  store i8 %octet, ptr %byte.target
  %following = add i64 %place, 1
  %further = icmp ult i64 %following, %size
  br i1 %further, label %byte, label %done
done:
  ret ptr %to
}

define hidden ptr @memset(ptr %to, i32 %octet, i64 %size) #0 {
entry:
  %value = trunc i32 %octet to i8
  %first = insertelement <16 x i8> poison, i8 %value, i32 0
  %values = shufflevector <16 x i8> %first, <16 x i8> poison, <16 x i32> zeroinitializer
  %lines = and i64 %size, -16
  %some = icmp ne i64 %lines, 0
  br i1 %some, label %line, label %rest
line:
  %at = phi i64 [ 0, %entry ], [ %next, %line ]
  %target = getelementptr i8, ptr %to, i64 %at
  store <16 x i8> %values, ptr %target, align 1
  %next = add i64 %at, 16
  %more = icmp ult i64 %next, %lines
  br i1 %more, label %line, label %rest
rest:
  %left = icmp ult i64 %lines, %size
  br i1 %left, label %byte, label %done
byte:
  %place = phi i64 [ %lines, %rest ], [ %following, %byte ]
  %byte.target = getelementptr i8, ptr %to, i64 %place
  store i8 %value, ptr %byte.target
  %following = add i64 %place, 1
  %further = icmp ult i64 %following, %size
  br i1 %further, label %byte, label %done
done:
  ret ptr %to
}

attributes #0 = { nounwind "no-builtins" }
"""
"""Copies and fills of 16 bytes at a time. no-builtins: or the optimiser makes a call of memcpy out of memcpy."""

_PATTERN = """
define hidden void @memset_pattern16(ptr %to, ptr %pattern, i64 %size) #0 {
entry:
  %some = icmp ne i64 %size, 0
  br i1 %some, label %byte, label %done
byte:
  %at = phi i64 [ 0, %entry ], [ %next, %byte ]
  %which = and i64 %at, 15
  %source = getelementptr i8, ptr %pattern, i64 %which
  %target = getelementptr i8, ptr %to, i64 %at
  %octet = load i8, ptr %source
  store i8 %octet, ptr %target
  %next = add i64 %at, 1
  %more = icmp ult i64 %next, %size
  br i1 %more, label %byte, label %done
done:
  ret void
}
"""
"""What LLVM asks for on macOS alone: to fill with 16 bytes again and again, for a few hundred bytes at most."""

_ROUND = """
declare float @llvm.fabs.f32(float)
declare float @llvm.copysign.f32(float, float)

define hidden float @rintf(float %value) #0 {
  %size = call float @llvm.fabs.f32(float %value)
  %up = fadd float %size, 0x4160000000000000
  %down = fsub float %up, 0x4160000000000000
  %signed = call float @llvm.copysign.f32(float %down, float %value)
  %small = fcmp olt float %size, 0x4160000000000000
  %rounded = select i1 %small, float %signed, float %value
  ret float %rounded
}
"""
"""To the nearest whole number, of two the even one, for processors from before SSE4.1: 2^23 has no fraction bits."""

_CPUID = """
define void @colibri_cpuid(i64 %leaf, i64 %subleaf, i64 %out) {{
  %a = trunc i64 %leaf to i32
  %c = trunc i64 %subleaf to i32
  %said = call {{ i32, i32, i32, i32 }} asm sideeffect "cpuid", "{registers}"(i32 %a, i32 %c)
  %room = inttoptr i64 %out to ptr
{stores}  ret void
}}

define i64 @colibri_xgetbv() {{
  %said = call {{ i32, i32 }} asm sideeffect "xgetbv", "={{ax}},={{dx}},{{cx}}"(i32 0)
  %low = extractvalue {{ i32, i32 }} %said, 0
  %high = extractvalue {{ i32, i32 }} %said, 1
  %wide = zext i32 %high to i64
  %shifted = shl i64 %wide, 32
  %rest = zext i32 %low to i64
  %whole = or i64 %shifted, %rest
  ret i64 %whole
}}
"""


def support(x86: bool, macos: bool, version: str) -> str:
    """LLVM code of it all."""
    told = version.encode().ljust(64, b"\0")
    octets = "".join(f"\\{octet:02x}" for octet in told)
    text = f'@colibri_kernels_version = constant [{len(told)} x i8] c"{octets}"\n{_MEMORY}{_ROUND}'
    if macos:
        text += _PATTERN
    if not x86:
        return text
    stores = "".join(
        f"  %r{i} = extractvalue {{ i32, i32, i32, i32 }} %said, {i}\n"
        f"  %p{i} = getelementptr i32, ptr %room, i64 {i}\n"
        f"  store i32 %r{i}, ptr %p{i}\n"
        for i in range(4)
    )
    return text + _CPUID.format(registers="={ax},={bx},={cx},={dx},{ax},{cx}", stores=stores)
