"""The classroom: what the page needs beside the feed, and what a class measures.

Nothing here touches a request that does not say who reads (`reader=`): measuring stays as it was.
"""
