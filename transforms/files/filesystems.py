"""Beam's file systems, usable without a pipeline: only a pipeline gives them options, without which those of Azure and Amazon
open nothing (seen with 2.77: "'NoneType' object has no attribute 'view_as'")."""

from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

__all__ = ["FileSystems"]

if FileSystems._pipeline_options is None:
    FileSystems.set_options(PipelineOptions([]))
