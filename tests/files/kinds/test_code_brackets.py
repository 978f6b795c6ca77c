"""Languages whose units end with brackets: each unit is found by its name, whatever strings and comments hold."""

import pytest

from colibri.files.kinds.code import units

SNIPPETS: dict[str, tuple[str, list[str]]] = {
    "lamp.c": (
        r"""
#include <stdio.h>

struct lamp { int lit; };

static const char *BRACE = "}{\"{";  /* } } } */
static const struct lamp LAMPS[] = { { 1 }, { 0 } };

/* How bright it is. */
static int
brightness(struct lamp *one, int (*of)(int))
{
    if (one->lit == '{') { return of(1); }
    return 0;
}

int once(void) {
#ifdef FAST
    if (1) {
#else
    while (0) {
#endif
    }
    return 1;
}

#define TWICE(x) do { \
    x; x; } while (0)

int main(void) { return brightness(0, 0); }
""",
        ["lamp", "", "brightness", "once", "", "main"],
    ),
    "lamp.cpp": (
        r"""
namespace harbour { namespace light {

template <typename T>
class Lamp final : public Base<T> {
 public:
  explicit Lamp(int hours) : hours_{hours}, name_("}") {
    lit_ = false;
  }
  ~Lamp() override = default;
  bool operator==(const Lamp &other) const { return hours_ == other.hours_; }
 private:
  int hours_;
};

}}  // namespace

void harbour::light::Lamp::burn(int hours) const noexcept {
  auto again = [&](int x) { return x + 1'000; };
  auto raw = R"x({{{)x";
}

TEST(Lamp, Burns) {
  EXPECT_EQ(1, 1);
}

enum class Colour { Red };
""",
        [
            "Lamp",
            "Lamp::Lamp",
            "Lamp",
            "Lamp::operator==",
            "Lamp",
            "harbour::light::Lamp::burn",
            "TEST(Lamp, Burns)",
            "Colour",
        ],
    ),
    "Lamp.m": (
        r"""
#import "Lamp.h"

@implementation Lamp

- (void)burn:(int)hours until:(NSDate *)end {
    NSLog(@"} %d", hours);
}

+ (instancetype)lamp {
    return [[self alloc] init];
}

@end

int main(void) { return 0; }
""",
        ["Lamp", "Lamp::burn:until:", "Lamp::lamp", "main"],
    ),
    "Lamp.java": (
        r"""
package harbour;

import java.util.List;

/** A lamp. { */
@Entity(name = "lamp")
public class Lamp<T> implements Light {
    private final char brace = '{';
    private List<String> names = List.of("{", "}");

    public Lamp(int hours) throws IOException {
        if (hours > 0) { run(() -> { burn(); }); }
    }

    @Override
    public <U> Map<String, U> burn(@NotNull String name) {
        for (int i = 0; i < 3; i++) { }
        return new HashMap<>() {{ put("a", null); }};
    }

    abstract void dim();

    enum Colour { RED, GREEN }

    private static class Bulb {
        void glow() { }
    }
}

record Pair(int a, int b) { }
""",
        ["Lamp", "Lamp.Lamp", "Lamp.burn", "Lamp", "Lamp.Colour", "Lamp.Bulb", "Lamp.Bulb.glow", "Pair"],
    ),
    "Lamp.cs": (
        r"""
using System;
#region lamps {
namespace Harbour.Lights
{
    /// <summary>A lamp.</summary>
    [Serializable]
    public sealed class Lamp : ILight
    {
        public string Path { get; set; } = @"C:\";
        public int Hours => 3;

        public Lamp(int hours) : base(hours) { }

        public async Task<int> Burn(string name = "{")
        {
            using (var x = Open()) { return 1; }
        }

        public int Twice() => 2 * Hours;
    }

    public interface ILight { void Glow(); }
}
""",
        ["Lamp", "Lamp.Lamp", "Lamp.Burn", "Lamp.Twice", "ILight"],
    ),
    "Lamp.kt": (
        r"""
package harbour

val names = listOf("{", "${'$'}{")

data class Lamp(val hours: Int) : Light {
    init { require(hours > 0) }

    override fun burn(name: String): Int {
        /* { /* nested { */ { */
        return hours.let { it + 1 }
    }

    companion object {
        fun twice(x: Int) = x * 2
    }
}

fun <T> List<T>.second(): T = this[1]

fun interface Switch { fun flip() }

suspend fun main() {
    println('{')
}
""",
        ["Lamp", "Lamp.init", "Lamp.burn", "Lamp.Companion", "Lamp.Companion.twice", "List.second", "Switch", "main"],
    ),
    "Lamp.scala": (
        r"""
package harbour

sealed trait Light {
  def glow(): Unit
}

object Lamp extends App {
  val brace = "}"
  def burn(hours: Int): Int = {
    hours match { case 1 => 2 }
  }
  def dim(x: Int) = x / 2
}

case class Bulb(watts: Int)
""",
        ["Light", "Light.glow", "Lamp", "Lamp.burn", "Lamp.dim", "Bulb"],
    ),
    "lamp.groovy": (
        r"""
class Lamp {
    String name = '{'
    void burn(int hours) {
        3.times { println "$it }" }
    }
}

def glow(x) {
    return x
}
""",
        ["Lamp", "Lamp.burn", "glow"],
    ),
    "lamp.go": (
        r"""
package harbour

import "fmt"

// Lamp burns.
type Lamp struct {
	name string // {
}

type Hours int

// ServeHTTP answers.
func (l *Lamp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := `}
	}`
	go func() { fmt.Println('{', q) }()
}

type (
	Bulb struct {
		watts int
	}
	Light interface {
		Glow() error
	}
)

func Map[T any](xs []T, f func(T) T) []T {
	return xs
}
""",
        ["Lamp", "Hours", "Lamp.ServeHTTP", "", "Bulb", "Light", "func Map"],
    ),
    "lamp.rs": (
        r"""
use std::fmt;

/// A lamp { that burns.
#[derive(Debug, Clone)]
pub struct Lamp<'a> {
    name: &'a str,
}

impl<'a> fmt::Display for Lamp<'a> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let brace = '{'; let raw = r#"}"}"#;
        write!(f, "{{{}", self.name)
    }
}

impl Lamp<'_> {
    /* { /* { */ */
    pub async fn burn<T>(&mut self, hours: u32) -> Option<T>
    where
        T: Default,
    {
        fn inner() {}
        None
    }
}

impl<T: Light<U>, U, F: Fn(T) -> U> From<F> for Bulb<T>
where
    T: Clone,
{
    const fn from(f: F) -> Self { Bulb }
}

pub(crate) unsafe extern "C" fn glow() {}

macro_rules! lamp {
    () => { Lamp };
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_burns() {}
}
""",
        [
            "Lamp",
            "Lamp",
            "Lamp::fmt",
            "Lamp",
            "Lamp::burn",
            "Lamp::burn::inner",
            "Lamp::burn",
            "Bulb",
            "Bulb::from",
            "glow",
            "lamp",
            "tests",
            "tests::it_burns",
        ],
    ),
    "Lamp.swift": (
        r"""
import Foundation

@objc public class Lamp: NSObject {
    var name: String = "{" // {
    init?(hours: Int) {
        guard hours > 0 else { return nil }
    }
    override func burn<T>(_ x: T) -> Int where T: P {
        return [1].map { $0 + 1 }.count
    }
}

extension Lamp: Light {
    static func == (a: Lamp, b: Lamp) -> Bool { true }
}
""",
        ["Lamp", "Lamp.init", "Lamp.burn", "Lamp", "Lamp.=="],
    ),
    "lamp.js": (
        r"""
import x from 'y';

const PATTERN = /[{"]/g;

/** Burns. */
export default class Lamp extends Light {
  #hours = 3
  static names = ['{']

  constructor(hours) { super(hours) }

  async *burn({ hours = 3, ...rest }) {
    if (hours) { return `}${hours ? `{` : '}'}` }
  }

  glow = async (x) => {
    return x
  }
}

export const dim = (a, { b }) => {
  return a / 2 / b
}

const twice = x => x * 2

function outer() {
  function inner() { return 1 }
  return inner()
}

module.exports.lamp = function () { }

describe('lamp', () => {
  it('burns', () => { expect(1) })
})
""",
        [
            "Lamp",
            "Lamp.constructor",
            "Lamp.burn",
            "Lamp.glow",
            "dim",
            "twice",
            "outer",
            "outer.inner",
            "outer",
            "module.exports.lamp",
            "",
        ],
    ),
    "lamp.ts": (
        r"""
export interface Light<T> { glow(): void }

type Hours = { count: number }

@Component({
  selector: 'lamp',
})
export abstract class Lamp<T> implements Light<T> {
  private names: string[] = [];
  public burn<U extends T>(hours: Hours, name?: string): Promise<U> {
    while (true) { break }
  }
  get lit(): boolean { return true }
}

export const load = async <T,>(x: T): Promise<T> => { return x }

namespace Harbour {
  export function open(): void { }
}
""",
        ["Light", "Hours", "Lamp", "Lamp.burn", "Lamp.lit", "load", "Harbour", "Harbour.open"],
    ),
    "Lamp.jsx": (
        r"""
export function Lamp({ name }) {
  const onClick = () => { alert("it's }") }
  return <div onClick={onClick}>{name} don't</div>
}

export const Bulb = ({ watts }) => <b>{watts}</b>
""",
        ["Lamp", "Lamp.onClick", "Lamp", "Bulb"],
    ),
    "lamp.php": (
        r"""
<?php
namespace Harbour;

# a comment {
#[Attribute]
final class Lamp extends Light {
    private $brace = '{';
    public function __construct(private int $hours) { }
    public static function burn(array $x): ?string {
        $text = <<<EOT
        } } { "
        EOT;
        return "{$x['a']}";
    }
}

function &glow() { return 1; }
""",
        ["Lamp", "Lamp::__construct", "Lamp::burn", "glow"],
    ),
    "lamp.dart": (
        r"""
import 'dart:async';

class Lamp extends Light {
  final String name = '{';
  Lamp(this.hours);
  Future<int> burn({int hours = 3}) async {
    if (hours > 1) { return 1; }
    return 2;
  }
  int twice() => 2;
}

void main() {
  runApp(Lamp());
}
""",
        ["Lamp", "Lamp.burn", "Lamp.twice", "main"],
    ),
    "lamp.d": (
        """
module harbour;
/+ { /+ { +/ +/
class Lamp {
    int burn(int hours) { return hours; }
}
string glow() { return `}`; }
unittest { assert(true); }
""",
        ["Lamp", "Lamp.burn", "glow", "unittest"],
    ),
    "Lamp.sol": (
        r"""
pragma solidity ^0.8.0;

/// @title A lamp
contract Lamp is Light {
    event Lit(address who);
    constructor(uint hours) { }
    function burn(uint x) external payable returns (uint) { require(x > 0, "}"); return x; }
    modifier owned() { _; }
}
""",
        ["Lamp", "Lamp.Lit", "Lamp.constructor", "Lamp.burn", "Lamp.owned"],
    ),
    "lamp.zig": (
        r"""
const std = @import("std");

pub const Lamp = struct {
    hours: u32,
    pub fn burn(self: *Lamp) !void {
        const text =
            \\ { not a brace
        ;
    }
};

test "it burns" { }
""",
        ["Lamp", "Lamp.burn", "it burns"],
    ),
    "lamp.proto": (
        r"""
syntax = "proto3";
package harbour;

// A lamp.
message Lamp {
  string name = 1; // {
  enum Colour { RED = 0; }
}

service Lights {
  rpc Burn(Lamp) returns (Lamp);
  rpc Glow(stream Lamp) returns (Lamp) { option deadline = 3; }
}
""",
        ["Lamp", "Lamp.Colour", "Lights", "Lights.Burn", "Lights.Glow"],
    ),
    "lamp.ps1": (
        r"""
<# { #>
function Get-Lamp {
    param([string]$Name = '{')
    Write-Host "}`"}"
}

class Lamp {
    [int] Burn([int] $hours) { return $hours }
}
""",
        ["Get-Lamp", "Lamp", "Lamp.Burn"],
    ),
    "lamp.scss": (
        r"""
@import url(http://example.org/a.css);
/* { */
.lamp,
.bulb:hover { content: "}"; }

@media (max-width: 3em) {
  #lamp { color: red; }
}
""",
        [".lamp, .bulb:hover", "@media (max-width: 3em)", "@media (max-width: 3em) #lamp"],
    ),
}


@pytest.mark.parametrize("name", SNIPPETS)
def test_units_of_a_language(name: str) -> None:
    text, wanted = SNIPPETS[name]
    assert [place.label for place in units(text, name)] == wanted
