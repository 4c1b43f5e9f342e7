from qiao.backends.vllm.flags import value, values, without

FLAGS = ["--port", "9000", "--served_model_name", "a", "b", "--enforce-eager", "--api-key=secret", "-tp", "2"]


def test_values_in_all_their_forms() -> None:
    assert value(FLAGS, "--port") == "9000"
    assert values(FLAGS, "--served-model-name") == ["a", "b"]
    assert value(FLAGS, "--api-key") == "secret"
    assert value(FLAGS, "--tensor-parallel-size", "-tp") == "2"
    assert values(FLAGS, "--enforce-eager") == []
    assert value(FLAGS, "--enforce-eager") is None
    assert values(FLAGS, "--host") is None


def test_the_last_one_counts() -> None:
    assert value(["--port", "1", "--port=2"], "--port") == "2"


def test_a_flag_is_taken_out_with_what_it_is_given() -> None:
    assert without(FLAGS, "--api-key") == [flag for flag in FLAGS if "secret" not in flag]
    assert without(FLAGS, "--served-model-name") == ["--port", "9000", *FLAGS[5:]]
    assert without(["--api-key", "x", "y"], "--api-key") == []
