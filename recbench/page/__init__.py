"""A page on this machine alone, to rate films and see what follows: `recommend.py --serve`.

`server.serve` starts it. A request passes `guards`; `showing`, `changing` or `filing` carries it
out on the one `user` there is; what comes back is `templates/page.html` in the `view` asked for.
"""
