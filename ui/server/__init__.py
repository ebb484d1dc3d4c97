"""What stands between the network and the pages: settings of the operator, admission, headers, logs, guards.

Only serve.py and the first lines of app.py import this package; it knows no page and no attention.
"""
