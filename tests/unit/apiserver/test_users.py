from minikube_py.apiserver.users import UserInfo, render_user


def test_a_user_is_rendered_with_what_is_known():
    assert render_user(UserInfo("a", ("g",))) == {"username": "a", "groups": ["g"]}
    rendered = render_user(UserInfo("a", (), "u", (("x/y", ("1", "2")),)))
    assert rendered == {"username": "a", "uid": "u", "extra": {"x/y": ["1", "2"]}}
