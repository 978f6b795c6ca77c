"""Languages whose units end with their lines' indentation or a closing word: each unit is found by its name."""

import pytest

from colibri.files.kinds.code import units

SNIPPETS: dict[str, tuple[str, list[str]]] = {
    "lamp.py": (
        '''
"""A module. def no(): pass"""
import os

NAMES = """
def not_one():
"""
def glow(
    hours: int = 3,
) -> str:
    """Glows.

def neither():
    """
    def inner():
        return "def"
    return inner

# About lamps.
@dataclass(
    frozen=True,
)
class Lamp(Light):
    hours = 3

    @property
    def lit(self) -> bool: return True

    async def burn(self): ...

    class Bulb:
        def shine(self): ...

if __name__ == "__main__":
    glow()
''',
        ["glow", "glow.inner", "glow", "Lamp", "Lamp.lit", "Lamp.burn", "Lamp.Bulb", "Lamp.Bulb.shine", ""],
    ),
    "lamp.rb": (
        r"""
require 'x'

module Harbour
  class Lamp < Light
    attr_reader :hours

    def initialize(hours)
      @text = <<~EOS
    def no
      EOS
      @hours = hours << 2
    rescue IOError
      raise
    end

    def self.burn!(x) = x

    private

    def lit? = true
  end
end
""",
        [
            "Harbour",
            "Harbour.Lamp",
            "Harbour.Lamp.initialize",
            "Harbour.Lamp.burn!",
            "Harbour.Lamp",
            "Harbour.Lamp.lit?",
        ],
    ),
    "lamp.pl": (
        r"""
package Harbour::Lamp;
use strict;

=pod

sub not_one { }

=cut

sub burn {
    my ($x) = @_;   # {
    return $x =~ /}"/ ? q{ } : "{";
}

sub glow
{
    return $#_;
}
1;
__END__
sub nor_this { }
""",
        ["Harbour::Lamp", "Harbour::Lamp::burn", "Harbour::Lamp::glow", "Harbour::Lamp"],
    ),
    "lamp.lua": (
        r"""
local M = {}
--[[ function no() end ]]
function M.burn(hours)
  local text = [==[ function neither() ]==]
  return hours
end

local function glow() return 1 end

M.dim = function(x)
  return x
end
return M
""",
        ["M.burn", "glow", "M.dim", ""],
    ),
    "lamp.jl": (
        r'''
module Harbour

"""
    burn(hours)
"""
function burn(hours)
    for i in 1:3
        println("end")
    end
end

twice(x) = 2x

struct Lamp
    hours::Int
end

end
''',
        ["Harbour", "Harbour.burn", "Harbour.twice", "Harbour.Lamp"],
    ),
    "lamp.R": (
        r"""
library(x)

# Burns.
burn <- function(hours, name = "}") {
  sapply(hours, function(x) x + 1)
}

setMethod("show", "Lamp", function(object) {
  cat("lamp")
})
""",
        ["burn", "show"],
    ),
    "Lamp.hs": (
        r"""
module Lamp where

import Data.List (sort)

-- | A lamp.
data Lamp = Lamp { hours :: Int }

class Light a where
  glow :: a -> Int

instance Light Lamp where
  glow = hours

-- | Burns.
burn :: Int -> Int
burn 0 = 0
burn n
  | n > 3 = x'
  | otherwise = 1
  where x' = n

main = print "burn :: no"
""",
        ["Lamp", "Light", "Light.glow", "instance Light Lamp", "instance Light Lamp.glow", "burn", "main"],
    ),
    "lamp.ml": (
        r"""
(* let no = (* nested *) 1 *)
type lamp = { hours : int }

module Harbour = struct
  let burn x =
    let y = x in
    y + 1
  let glow = 'a'
end

let rec dim n = if n = 0 then 0 else dim (n - 1)
and brighten n = n
let () = print_string "let no = 1"
""",
        ["lamp", "Harbour", "Harbour.burn", "Harbour.glow", "dim", "brighten", ""],
    ),
    "lamp.fs": (
        r"""
module Harbour

type Lamp(hours: int) =
    member this.Burn(x) =
        let y = x
        y + hours
    static member Default = Lamp(3)

[<EntryPoint>]
let main argv =
    let inner = 3
    0
""",
        ["Lamp", "Lamp.Burn", "Lamp.Default", "main"],
    ),
    "lamp.ex": (
        r'''
defmodule Harbour.Lamp do
  @moduledoc """
  def no do
  """
  defstruct [:hours]

  @doc """
  Burns.
  """
  @spec burn(integer) :: integer
  def burn(0), do: 0
  def burn(n) do
    case n do
      1 -> 2
    end
  end

  defp glow?(x), do: x
end
''',
        ["Harbour.Lamp", "Harbour.Lamp.burn", "Harbour.Lamp.glow?"],
    ),
    "lamp.erl": (
        r"""
-module(lamp).
-export([burn/1]).

%% Burns.
-spec burn(integer()) -> integer().
burn(0) ->
    0;
burn(N) ->
    "% no" ++ N.

glow() -> ok.
""",
        ["burn", "glow"],
    ),
    "lamp.clj": (
        r"""
(ns harbour.lamp
  (:require [x :as y]))

; (defn no [])
(defn ^String burn
  "Burns (a lot"
  [hours]
  (+ hours 1))

(def glow \()
(defmulti dim :kind)
""",
        ["harbour.lamp", "burn", "glow", "dim"],
    ),
    "lamp.el": (
        r"""
;;; lamp.el

(defvar lamp-hours 3 "Hours (how many.")

(defun lamp-burn (hours)
  "Burn."
  (interactive)
  (message "(defun no"))

(provide 'lamp)
""",
        ["lamp-hours", "lamp-burn", ""],
    ),
    "lamp.scm": ("#| (define no 1) |#\n(define (burn x)\n  (+ x 1))\n\n(define glow 3)\n", ["burn", "glow"]),
    "lamp.sql": (
        r"""
-- CREATE TABLE no (x);
CREATE TABLE IF NOT EXISTS public."lamps" (
    id int PRIMARY KEY,
    name text DEFAULT '; CREATE TABLE x'
);

create or replace function burn(hours int) returns int as $$
begin
  create table inner_one (x int);
  return hours;
end;
$$ language plpgsql;

INSERT INTO lamps VALUES (1, 'a');

SELECT * FROM lamps
WHERE id = 1;
""",
        ["TABLE public.lamps", "function burn", "INSERT INTO lamps", "SELECT"],
    ),
    "lamp.sh": (
        r"""
#!/bin/bash
set -e

# Burns.
burn() {
    cat <<EOF
glow() {
don't
EOF
    awk '{ print $1 }
function no() { }
' "$1"   # }
}

function glow {
    echo ${#1}
}

burn "$@"
""",
        ["burn", "glow", ""],
    ),
    "Makefile": (
        """
CC := gcc
ifeq ($(X),1)
endif

# Burns.
.PHONY: burn
burn: lamp.o | dir
\techo "a: b"

%.o: %.c
\t$(CC) -c $<
""",
        ["burn", "%.o"],
    ),
    "CMakeLists.txt": (
        """
project(lamp)
#[[ function(no) ]]
function(burn name)
  if(x)
  endif()
endfunction()

add_library(lamp STATIC
  lamp.c)

macro(glow)
endmacro()
""",
        ["burn", "add_library lamp", "glow"],
    ),
    "lamp.f90": (
        """
module harbour
implicit none
contains
! Burns.
pure integer function burn(hours)
integer :: hours
if (hours > 0) then
print *, 'end function'
end if
end function burn

subroutine glow()
end subroutine
end module harbour

program main
call glow()
end program
""",
        ["harbour", "harbour.burn", "harbour.glow", "main"],
    ),
    "lamp.adb": (
        """
with Ada.Text_IO;

package body Lamp is
   --  Burns.
   procedure Burn (Hours : Integer) is
      X : Character := '"';
   begin
      Put ("end Burn;");
   end Burn;

   function "+" (A : Integer) return Integer is
   begin
      return A;
   end "+";
end Lamp;
""",
        ["Lamp", "Lamp.Burn", "Lamp.+"],
    ),
    "lamp.pas": (
        """
unit Lamp;
interface
type
  TLamp = class(TObject)
    procedure Burn(Hours: Integer);
  end;
implementation

{ procedure No; }
procedure TLamp.Burn(Hours: Integer);
var X: Integer;
begin
  WriteLn('procedure no');
end;

function Glow: Integer;
begin
  Result := 1;
end;
end.
""",
        ["TLamp", "TLamp.Burn", "", "TLamp.Burn", "Glow"],
    ),
    "Lamp.vb": (
        """
Imports System
Public Class Lamp
Private hours As Integer
' Sub No()
Public Sub Burn(ByVal x As Integer)
If x > 0 Then
Console.WriteLine("End Sub")
End If
End Sub

Public Function Glow() As Integer
Return 1
End Function
End Class
""",
        ["Lamp", "Lamp.Burn", "Lamp.Glow"],
    ),
    "lamp.tcl": (
        """
package require Tk
# Burns.
proc burn {hours} {
    puts "proc no {}"
}

namespace eval ::harbour {
    proc glow {} {
        return 1
    }
}
""",
        ["burn", "::harbour", "::harbour::glow"],
    ),
    "lamp.nim": (
        '''
import strutils
#[ proc no() = 1 ]#
type
  Lamp* = ref object
    hours: int

proc burn*(self: Lamp): int =
  result = self.hours

template glow(x: untyped) =
  echo """
proc neither() =
"""
''',
        ["Lamp", "burn", "glow"],
    ),
    "lamp.m": (
        """
% function no()
function y = burn(x)
y = x';
end

function glow()
end
""",
        ["burn", "glow"],
    ),
    "main.tf": (
        """
terraform {
  required_version = "1.0"
}

# Logs.
resource "aws_bucket" "logs" {
  name = "}"
  policy = <<EOF
resource "no" "no" {
EOF
}

variable "region" {}
""",
        ["terraform", "resource aws_bucket.logs", "variable region"],
    ),
    "lamp.graphql": (
        '''
"""
A lamp.
"""
type Lamp implements Light {
  hours: Int # type No {
}

query GetLamp($id: ID!) {
  lamp(id: $id) { hours }
}
''',
        ["type Lamp", "query GetLamp"],
    ),
    "lamp.v": (
        "module lamp(input a);\n  function f;\n    input x;\n  endfunction\nendmodule\n\nmodule bulb;\nendmodule\n",
        ["lamp", "lamp.f", "bulb"],
    ),
    "lamp.vhd": ("entity lamp is\nend lamp;\n\narchitecture rtl of lamp is\nbegin\nend rtl;\n", ["lamp", "rtl"]),
    "lamp.vim": (
        '" function! No()\nfunction! s:Burn(hours) abort\n  let x = "endfunction"\nendfunction\n\n'
        "augroup lamp\n  autocmd!\naugroup END\n\nlet g:lit = 1\n",
        ["s:Burn", "lamp", ""],
    ),
    "lamp.awk": ('# no\nfunction burn(x) {\n  return x "}"\n}\n\n/lamp/ { print burn($1) }\n', ["burn", ""]),
    "lamp.pro": (
        "% Burns.\nburns(lamp).\nburns(X) :-\n    lit(X).\n\nlit(X) :- bulb(X, 'a(b).').\n",
        ["burns", "lit"],
    ),
    "lamp.gd": (
        "extends Node\nsignal lit\n\n# Burns.\nfunc burn(hours: int) -> void:\n\tpass\n\n"
        "class Bulb:\n\tfunc glow():\n\t\tpass\n",
        ["lit", "burn", "Bulb", "Bulb.glow"],
    ),
    "lamp.coffee": ("class Lamp\n  burn: (hours) ->\n    hours\n\nglow = (x) -> x\n", ["Lamp", "Lamp.burn", "glow"]),
}


@pytest.mark.parametrize("name", SNIPPETS)
def test_units_of_a_language(name: str) -> None:
    text, wanted = SNIPPETS[name]
    assert [place.label for place in units(text, name)] == wanted
