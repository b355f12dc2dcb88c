// What a user of @rudderstack/rudder-sdk-node writes. Arguments: address, write key, what to do.
import RudderAnalytics from "@rudderstack/rudder-sdk-node";

const [place, key, what] = process.argv.slice(2);
const failed = [];
const client = new RudderAnalytics(key, {
  dataPlaneUrl: place,
  gzip: what !== "plain",
  flushInterval: 200,
  errorHandler: (error) => failed.push(String(error.message ?? error)),
});

const userId = "ann";
const sent = [];
const send = (kind, message) => sent.push(new Promise((done) => client[kind](message, done)));
if (what === "all" || what === "plain") {
  const anonymousId = "browser-7";
  send("identify", { userId, anonymousId, traits: { email: "ann@example.com", city: "Qingdao" } });
  send("track", { userId, event: "Order Completed", properties: { order_id: "A-1", revenue: 42.5 } });
  send("page", { userId, name: "Home", properties: { url: "https://shop.example/" } });
  send("screen", { userId, name: "Home" });
  send("group", { userId, groupId: "acme", traits: { name: "Acme" } });
  send("alias", { userId, previousId: anonymousId });
} else if (what === "many") {
  for (let number = 0; number < 230; number += 1)
    send("track", { userId: `p${number}`, event: "Order Completed", properties: { order_id: String(number) } });
} else {
  send("track", { userId, event: "Order Completed", properties: { order_id: "A-1" } });
}
await Promise.all(sent);
console.log(JSON.stringify({ failed }));
process.exit(0);
