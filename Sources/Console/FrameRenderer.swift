import Control
import Terminal

/// One frame without a terminal: `weir frame`, and golden tests.
public enum FrameRenderer {
    /// The frame of a snapshot, the cursor at the top of its lists. Sizes below 60×15 give the short form.
    public static func canvas(_ snapshot: Snapshot, screen: ScreenID, size: Size, theme: Theme, utcOffset: Int64 = 0) -> Canvas {
        Frame.draw(model(snapshot, screen: screen, size: size, utcOffset: utcOffset), theme: theme)
    }

    /// ``canvas(_:screen:size:theme:utcOffset:)`` as text, a line a row.
    public static func plainText(_ snapshot: Snapshot, screen: ScreenID, size: Size, theme: Theme, utcOffset: Int64 = 0) -> String {
        canvas(snapshot, screen: screen, size: size, theme: theme, utcOffset: utcOffset).plainText
    }

    /// Asks a broker for what the screen shows, and draws it, times in the process's time zone unless another offset (seconds east of
    /// Greenwich) is given. Two questions: the detail belongs to the list's first row.
    public static func plainText(
        of control: any Control, screen: ScreenID, size: Size, isASCII: Bool = false, utcOffset: Int64? = nil
    ) async throws(ControlError) -> String {
        let theme = ThemeLibrary(folders: []).specs[0].resolved(.mono, glyphs: isASCII ? .ascii : .braille)
        var model = ConsoleModel(mode: .attached(""), isReadOnly: false, size: size, themes: [], themeName: "default")
        model.screen = screen
        for _ in 0..<2 {
            let snapshot = try await control.snapshot(model.query())
            model.utcOffset = utcOffset ?? Locale.utcOffsetSeconds(atMs: snapshot.broker.nowMs)
            model.handle(snapshot, nowMs: snapshot.broker.nowMs)
        }
        return Frame.draw(model, theme: theme).plainText
    }

    static func model(_ snapshot: Snapshot, screen: ScreenID, size: Size, utcOffset: Int64 = 0) -> ConsoleModel {
        var model = ConsoleModel(mode: .embedded, isReadOnly: false, size: size, themes: [], themeName: "default")
        model.screen = screen
        model.utcOffset = utcOffset
        model.handle(snapshot, nowMs: snapshot.broker.nowMs)
        return model
    }
}
