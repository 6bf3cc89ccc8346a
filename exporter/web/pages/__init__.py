"""What all HTML pages share.

html                elements, which escape the text in them: the only place that does
units               sizes, rates, ages and times as text
cells               cells of tables that become blocks on a phone
links               the URLs that belong to a daemon
frame               the frame of a page: head, navigation, footer; its headers
rendering           one page at a time
static              the files that pages load: style and script
frame.html, style.css, live.js
                    the template, the style and the script
"""
