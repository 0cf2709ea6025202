module chrysalis.local/image/pause

go 1.24.0
