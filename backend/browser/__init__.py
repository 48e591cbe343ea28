"""What the browser gets of the pages with sound: plain modules, a stylesheet and the pages, without any library."""
