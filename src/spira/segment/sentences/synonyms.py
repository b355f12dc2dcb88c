"""What people call the usual events of a shop, in Chinese and English, beside their labels.

The names are those of Segment's e-commerce specification. Somebody who looks for 下单 or "bought" means an order
that was completed, whatever the brand's own label of it says.
"""

from __future__ import annotations

SYNONYMS: dict[str, tuple[str, ...]] = {
    "Order Completed": (
        "下单",
        "购买",
        "买过",
        "成交",
        "付款",
        "已付订单",
        "bought",
        "purchased",
        "placed an order",
        "paid",
    ),
    "Order Refunded": ("退款", "退货", "refunded", "returned", "money back"),
    "Order Cancelled": ("取消订单", "退单", "撤单", "canceled", "called off"),
    "Checkout Started": ("结算", "去付款", "提交订单", "check out", "began to pay"),
    "Product Added": ("加购", "放入购物车", "购物车", "added to cart", "basket"),
    "Product Removed": ("移出购物车", "购物车", "removed from cart", "basket"),
    "Cart Viewed": ("看购物车", "basket"),
    "Product Viewed": ("看过商品", "浏览商品", "商品详情", "looked at", "saw a product"),
    "Products Searched": ("搜过", "搜索商品", "looked for", "search"),
    "Product Added to Wishlist": ("收藏", "心愿单", "favourite", "favorite"),
    "Product Reviewed": ("评价", "晒单", "点评", "rated", "rating"),
    "Product Shared": ("分享", "转发", "recommended"),
    "Coupon Applied": ("用券", "优惠券", "红包", "voucher", "discount code"),
    "Signed Up": ("注册", "新会员", "registered", "joined"),
    "Signed In": ("登录", "logged in", "log in"),
    "Page Viewed": ("访问", "来过网站", "浏览", "visited", "visit"),
    "Email Opened": ("看过邮件", "打开率", "read an e-mail"),
    "Email Link Clicked": ("点过邮件", "点击率", "click through"),
    "Unsubscribed": ("不再接收", "取消订阅", "opted out", "opt out"),
}
