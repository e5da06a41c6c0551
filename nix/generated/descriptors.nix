# Made by "npm run generate"; changes here are lost.
# LimitNOFILE= of a daemon, by its maxConnections.
maxConnections:
let wanted = maxConnections * 2 + 1024; in
if wanted > 65536 then wanted else 65536
