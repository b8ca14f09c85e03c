"""Charts as Vega-Lite specifications, one module per chart.

Vega-Lite because one specification gives both views of a page: vl-convert draws it to SVG while the page is written,
with nothing installed beside it, and the same JavaScript redraws it in the browser with values under the pointer.
The specifications are plain dictionaries, not Altair's objects: those would pull in pandas-like frames and a schema of
a thousand classes to write the same few keys, and take half a second to import.

Colours are the variables of the page's style sheet, so one drawing serves light, dark and print.
"""
