"""Native records and canonical events to EVENTS batches, rejects and counts (contract: Input)."""

from transforms.core.decode.log_table import decode_log_table
from transforms.core.decode.streams import decode_records, decode_text, reject_whole
from transforms.core.decode.table import decode_table
from transforms.core.decode.terms.settings import Counts, DecodeResult, DecodeSettings

__all__ = [
    "Counts",
    "DecodeResult",
    "DecodeSettings",
    "decode_log_table",
    "decode_records",
    "decode_table",
    "decode_text",
    "reject_whole",
]
