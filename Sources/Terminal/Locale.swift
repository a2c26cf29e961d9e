import CTerm

/// What the process's environment says about text and time.
public enum Locale {
    /// Whether text goes out as UTF-8. Sets the process's LC_CTYPE, which ncurses reads; call before a screen is opened.
    public static func takeOver() -> Bool { cterm_locale_is_utf8() == 1 }

    /// Seconds east of Greenwich at a wall time (ms since 1970).
    public static func utcOffsetSeconds(atMs ms: Int64) -> Int64 { Int64(cterm_utc_offset(ms)) }

    public static func isTerminal(_ descriptor: Int32) -> Bool { cterm_is_terminal(descriptor) == 1 }
}
