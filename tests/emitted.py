"""Code that a kernel emits, as a processor's instructions: one that need not be here."""

import llvmlite.binding as llvm
from llvmlite import ir


def instructions(module: ir.Module, triple: str, cpu: str, features: str) -> str:
    """A module's assembly, optimised as kernels are."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine = llvm.Target.from_triple(triple).create_target_machine(
        cpu=cpu, features=features, opt=3, reloc="static", codemodel="small"
    )
    parsed = llvm.parse_assembly(str(module))
    parsed.triple, parsed.data_layout = triple, str(machine.target_data)
    parsed.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    passes = llvm.create_pass_builder(machine, options)
    passes.getModulePassManager().run(parsed, passes)
    text: str = machine.emit_assembly(parsed)
    return text
