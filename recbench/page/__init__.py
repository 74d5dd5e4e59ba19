"""A page on this machine alone, to rate movies and see what follows: `recommend.py --serve`.

`app.serve` starts it. A request passes the guards in `app`; `routes` answers it for the one `User`,
with `templates/page.html` in the view that the address asks for.
"""
