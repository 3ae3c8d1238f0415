"""Options of a graph: a view is made once, and is like one that is made anew."""

import copy
import pickle

from apache_beam.options.pipeline_options import DebugOptions, GoogleCloudOptions, StandardOptions

from runners.engines.local import ViewedOnce


def test_a_view_is_made_once_and_all_views_have_their_values_in_common() -> None:
    options = ViewedOnce(["--experiments=a"])
    view = options.view_as(DebugOptions)
    assert options.view_as(DebugOptions) is view
    view.experiments = ["b"]
    assert options.view_as(StandardOptions).view_as(DebugOptions).experiments == ["b"]
    assert options.get_all_options()["experiments"] == ["b"]


def test_a_copy_has_views_of_its_own() -> None:
    options = ViewedOnce(["--streaming"])
    assert options.view_as(StandardOptions).streaming
    for other in (copy.deepcopy(options), pickle.loads(pickle.dumps(options))):
        other.view_as(StandardOptions).streaming = False
        assert options.view_as(StandardOptions).streaming
        assert not other.view_as(StandardOptions).streaming


def test_what_beam_keeps_from_workers_is_in_no_view() -> None:
    options = ViewedOnce(["--impersonate_service_account=me"])
    assert options.view_as(GoogleCloudOptions).impersonate_service_account == "me"
    assert pickle.loads(pickle.dumps(options)).view_as(GoogleCloudOptions).impersonate_service_account is None
