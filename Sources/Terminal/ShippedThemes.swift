/// The shipped themes in the code, equal to the files in `themes/` (a test compares them), for a binary that stands alone;
/// ``BuiltInTheme`` is the default one.
enum ShippedThemes {
    static let texts: [(name: String, text: String)] = [
        (
            "dark",
            """
            text = #d0d4dc 252 white on #16181d 234 black
            dim = #8b929e 245 bright-black mono dim
            title = #d0d4dc 252 white bold
            border = #6b7280 242 bright-black mono dim
            focus = #5fb3c9 74 cyan mono bold
            header = #d0d4dc 252 white bold
            tab = #101216 233 black on #5fb3c9 74 cyan bold mono reverse
            breadcrumb = #5fb3c9 74 cyan mono bold
            key = #5fb3c9 74 cyan bold mono bold
            selection = default on #2c333f 236 blue bold mono reverse
            mark = #c79be0 176 bright-magenta bold mono bold underline
            prompt = #e2b75c 179 yellow bold mono bold
            input = #d0d4dc 252 white on #2c333f 236 blue underline mono underline
            button = #101216 233 black on #e2b75c 179 yellow bold mono reverse bold
            dialog = #d0d4dc 252 white on #1e222a 235 black
            stale = #101216 233 black on #f27a7a 210 bright-red bold mono reverse bold
            frozen = #101216 233 black on #e2b75c 179 yellow bold mono reverse
            ok = #8cc570 114 green mono
            warn = #e2b75c 179 yellow mono bold
            crit = #f27a7a 210 bright-red bold mono bold reverse
            info = #76a9ea 110 bright-blue mono
            ready = #e2b75c 179 yellow mono
            unacked = #72c2c9 80 cyan mono
            delayed = #76a9ea 110 bright-blue mono
            retry = #c79be0 176 bright-magenta mono
            dead = #f27a7a 210 bright-red mono bold
            graph_in = #8cc570 114 green mono
            graph_out = #76a9ea 110 bright-blue mono
            graph_backlog = #e2b75c 179 yellow mono
            trend = #72c2c9 80 cyan mono
            bar = #e2b75c 179 yellow mono
            """
        ),
        (
            "deuteranopia",
            """
            text = #d9dce2 253 white on #16181d 234 black
            dim = #949aa6 246 bright-black mono dim
            title = #d9dce2 253 white bold
            border = #717885 243 bright-black mono dim
            focus = #56b4e9 74 cyan mono bold
            header = #d9dce2 253 white bold
            tab = #101216 233 black on #56b4e9 74 cyan bold mono reverse
            breadcrumb = #56b4e9 74 cyan mono bold
            key = #56b4e9 74 cyan bold mono bold
            selection = default on #2c333f 236 blue bold mono reverse
            mark = #dd9cc4 176 bright-magenta bold mono bold underline
            prompt = #f0e442 227 yellow bold mono bold
            input = #d9dce2 253 white on #2c333f 236 blue underline mono underline
            button = #101216 233 black on #f0e442 227 yellow bold mono reverse bold
            dialog = #d9dce2 253 white on #1e222a 235 black
            stale = #101216 233 black on #ff9a3c 215 bright-red bold mono reverse bold
            frozen = #101216 233 black on #f0e442 227 yellow bold mono reverse
            ok = #56b4e9 74 cyan mono
            warn = #f0e442 227 yellow mono bold
            crit = #ff9a3c 215 bright-red bold mono bold reverse
            info = #7fa6f0 111 bright-blue mono
            ready = #f0e442 227 yellow mono
            unacked = #9ad0f5 117 bright-cyan mono
            delayed = #7fa6f0 111 bright-blue mono
            retry = #dd9cc4 176 bright-magenta mono
            dead = #ff9a3c 215 bright-red mono bold
            graph_in = #56b4e9 74 cyan mono
            graph_out = #7fa6f0 111 bright-blue mono
            graph_backlog = #f0e442 227 yellow mono
            trend = #9ad0f5 117 bright-cyan mono
            bar = #f0e442 227 yellow mono
            """
        ),
        (
            "high-contrast",
            """
            text = #ffffff 231 bright-white on #000000 16 black
            dim = #d0d0d0 252 white mono dim
            title = #ffffff 231 bright-white bold
            border = #bcbcbc 250 white mono dim
            focus = #00e5ff 45 bright-cyan mono bold
            header = #ffffff 231 bright-white bold
            tab = #000000 16 black on #00e5ff 45 bright-cyan bold mono reverse
            breadcrumb = #00e5ff 45 bright-cyan mono bold
            key = #00e5ff 45 bright-cyan bold mono bold
            selection = default on #0033a0 19 blue bold mono reverse
            mark = #ff9cff 219 bright-magenta bold mono bold underline
            prompt = #ffff40 227 bright-yellow bold mono bold
            input = #ffffff 231 bright-white on #0033a0 19 blue underline mono underline
            button = #000000 16 black on #ffff40 227 bright-yellow bold mono reverse bold
            dialog = #ffffff 231 bright-white on #000000 16 black
            stale = #000000 16 black on #ff8080 210 bright-red bold mono reverse bold
            frozen = #000000 16 black on #ffff40 227 bright-yellow bold mono reverse
            ok = #5cff5c 83 bright-green mono
            warn = #ffff40 227 bright-yellow mono bold
            crit = #ff8080 210 bright-red bold mono bold reverse
            info = #8cc8ff 117 bright-cyan mono
            ready = #ffff40 227 bright-yellow mono
            unacked = #60ffff 87 bright-cyan mono
            delayed = #8cc8ff 117 bright-cyan mono
            retry = #ff9cff 219 bright-magenta mono
            dead = #ff8080 210 bright-red mono bold
            graph_in = #5cff5c 83 bright-green mono
            graph_out = #8cc8ff 117 bright-cyan mono
            graph_backlog = #ffff40 227 bright-yellow mono
            trend = #60ffff 87 bright-cyan mono
            bar = #ffff40 227 bright-yellow mono
            """
        ),
        (
            "light",
            """
            text = #24292f 235 black on #fbfbf8 231 bright-white
            dim = #5d656e 241 bright-black mono dim
            title = #24292f 235 black bold
            border = #868e96 245 bright-black mono dim
            focus = #0b6e86 24 blue mono bold
            header = #24292f 235 black bold
            tab = #ffffff 231 bright-white on #0b6e86 24 blue bold mono reverse
            breadcrumb = #0b6e86 24 blue mono bold
            key = #0b6e86 24 blue bold mono bold
            selection = default on #dde7ee 254 white bold mono reverse
            mark = #8b3fa8 91 magenta bold mono bold underline
            prompt = #8a5a00 94 red bold mono bold
            input = #24292f 235 black on #dde7ee 254 white underline mono underline
            button = #ffffff 231 bright-white on #8a5a00 94 red bold mono reverse bold
            dialog = #24292f 235 black on #f0f1ee 255 bright-white
            stale = #ffffff 231 bright-white on #c01c28 160 red bold mono reverse bold
            frozen = #ffffff 231 bright-white on #8a5a00 94 red bold mono reverse
            ok = #2a7336 28 green mono
            warn = #8a5a00 94 red mono bold
            crit = #c01c28 160 red bold mono bold reverse
            info = #1f5fbf 26 blue mono
            ready = #8a5a00 94 red mono
            unacked = #0f6f75 23 cyan mono
            delayed = #1f5fbf 26 blue mono
            retry = #8b3fa8 91 magenta mono
            dead = #c01c28 160 red mono bold
            graph_in = #2a7336 28 green mono
            graph_out = #1f5fbf 26 blue mono
            graph_backlog = #8a5a00 94 red mono
            trend = #0f6f75 23 cyan mono
            bar = #8a5a00 94 red mono
            """
        ),
        (
            "mono",
            """
            text = default
            dim = default dim
            title = default bold
            border = default dim
            focus = default bold
            header = default bold
            tab = default reverse bold
            breadcrumb = default bold
            key = default bold
            selection = default reverse
            mark = default bold underline
            prompt = default bold
            input = default underline
            button = default reverse bold
            dialog = default
            stale = default reverse bold
            frozen = default reverse
            ok = default
            warn = default bold
            crit = default bold reverse
            info = default
            ready = default
            unacked = default
            delayed = default
            retry = default
            dead = default bold
            graph_in = default
            graph_out = default
            graph_backlog = default
            trend = default
            bar = default
            """
        ),
        (
            "nord",
            """
            text = #e5e9f0 254 white on #2e3440 236 black
            dim = #a3adbf 247 bright-black mono dim
            title = #e5e9f0 254 white bold
            border = #7b88a1 103 bright-black mono dim
            focus = #88c0d0 110 cyan mono bold
            header = #e5e9f0 254 white bold
            tab = #2e3440 236 black on #88c0d0 110 cyan bold mono reverse
            breadcrumb = #88c0d0 110 cyan mono bold
            key = #88c0d0 110 cyan bold mono bold
            selection = default on #434c5e 239 blue bold mono reverse
            mark = #c9a5c3 176 magenta bold mono bold underline
            prompt = #ebcb8b 222 yellow bold mono bold
            input = #e5e9f0 254 white on #434c5e 239 blue underline mono underline
            button = #2e3440 236 black on #ebcb8b 222 yellow bold mono reverse bold
            dialog = #e5e9f0 254 white on #3b4252 238 black
            stale = #2e3440 236 black on #f08c94 210 red bold mono reverse bold
            frozen = #2e3440 236 black on #ebcb8b 222 yellow bold mono reverse
            ok = #a3be8c 144 green mono
            warn = #ebcb8b 222 yellow mono bold
            crit = #f08c94 210 red bold mono bold reverse
            info = #8fb0d4 110 blue mono
            ready = #ebcb8b 222 yellow mono
            unacked = #8fbcbb 109 cyan mono
            delayed = #8fb0d4 110 blue mono
            retry = #c9a5c3 176 magenta mono
            dead = #f08c94 210 red mono bold
            graph_in = #a3be8c 144 green mono
            graph_out = #8fb0d4 110 blue mono
            graph_backlog = #ebcb8b 222 yellow mono
            trend = #8fbcbb 109 cyan mono
            bar = #ebcb8b 222 yellow mono
            """
        ),
    ]

    static var specs: [ThemeSpec] { texts.map { ThemeParser.parse($0.text, name: $0.name).spec } }
}
