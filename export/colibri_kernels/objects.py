"""From LLVM code to an object file for a processor that need not be here."""

from typing import Any

import llvmlite.binding as llvm

from colibri_kernels.targets import Processor


def machine(triple: str, processor: Processor) -> Any:
    """What LLVM compiles for, position-independent as all that a library holds."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    llvm.initialize_native_asmparser()  # for the two instructions of `support`, on a machine of their kind
    return llvm.Target.from_triple(triple).create_target_machine(
        cpu=processor.cpu, features=processor.features, opt=3, reloc="pic", codemodel="default"
    )


def optimised(code: str, triple: str, processor: Processor) -> tuple[Any, Any]:
    """The code as a module, optimised as numba does, and the machine to write it with."""
    made = machine(triple, processor)
    module = llvm.parse_assembly(code)
    module.triple, module.data_layout = triple, str(made.target_data)
    if "windows" in triple:  # elsewhere a library shows what is neither internal nor hidden
        for shown in (*module.functions, *module.global_variables):
            if shown.name.startswith("colibri_") and not shown.is_declaration:
                shown.storage_class = "dllexport"
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization, options.slp_vectorization = True, False
    passes = llvm.create_pass_builder(made, options)
    passes.getModulePassManager().run(module, passes)
    return module, made


def object_file(code: str, triple: str, processor: Processor) -> bytes:
    """Machine code, in the platform's format of object files."""
    module, made = optimised(code, triple, processor)
    found: bytes = made.emit_object(module)
    return found


def assembly(code: str, triple: str, processor: Processor) -> str:
    """The same to read."""
    module, made = optimised(code, triple, processor)
    found: str = made.emit_assembly(module)
    return found
