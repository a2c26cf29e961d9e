/// The default theme in the code, equal to `themes/default.theme` (a test compares them), for a binary that stands alone.
enum BuiltInTheme {
    static let spec = ThemeParser.parse(text, name: "default").spec

    static let text = """
        text = default
        dim = default dim
        title = default bold
        border = default dim
        focus = cyan mono bold
        header = default bold
        tab = black on cyan bold mono reverse
        breadcrumb = cyan mono bold
        key = cyan bold mono bold
        selection = default reverse
        mark = magenta bold mono bold underline
        prompt = yellow bold mono bold
        input = default underline
        button = black on yellow bold mono reverse bold
        dialog = default
        stale = black on red bold mono reverse bold
        frozen = black on yellow bold mono reverse
        ok = green mono
        warn = yellow mono bold
        crit = red bold mono bold reverse
        info = blue mono
        ready = yellow mono
        unacked = cyan mono
        delayed = blue mono
        retry = magenta mono
        dead = red mono bold
        graph_in = green mono
        graph_out = blue mono
        graph_backlog = yellow mono
        trend = cyan mono
        bar = yellow mono
        """
}
