"""What a user of segment-analytics-python writes. Arguments: address, write key, what to do."""

import json
import sys

from segment.analytics import Client

place, key, what = sys.argv[1:]
failed = []
client = Client(
    key, host=place, on_error=lambda error, _items: failed.append(str(error)), gzip=what == "gzip", max_retries=4
)

if what in ("all", "gzip"):
    client.identify("ann", {"email": "ann@example.com", "city": "Qingdao"}, anonymous_id="browser-7")
    client.track("ann", "Order Completed", {"order_id": "A-1", "revenue": 42.5})
    client.page("ann", "Docs", "Home", {"url": "https://shop.example/"})
    client.screen("ann", "Basket", "Home")
    client.group("ann", "acme", {"name": "Acme"})
    client.alias("browser-7", "ann")
elif what == "many":
    for number in range(230):
        client.track(f"p{number}", "Order Completed", {"order_id": str(number)})
elif what == "bad":
    client.track("ann", "Order Completed", {"order_id": 5})
    client.track("ann", "Order Completed", {"order_id": "A-1"}, timestamp=None)
else:
    client.track("ann", "Order Completed", {"order_id": "A-1"})
client.shutdown()
print(json.dumps({"failed": failed}))
