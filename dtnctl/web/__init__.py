"""`dtnctl web`: a page in the browser that shows what the commands that look show. It holds clients that cannot write."""
