"""Whether OpenVINO's plugin has a device here: it lists those of Intel's."""

import onnxruntime

_INTEL = 0x8086  # PCI vendor, as onnxruntime says it of the CPU

INTEL = any(
    one.device.vendor_id == _INTEL for one in onnxruntime.get_ep_devices() if one.ep_name == "CPUExecutionProvider"
)
