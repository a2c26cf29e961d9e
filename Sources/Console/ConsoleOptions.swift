import Model
import Terminal

/// How a console is started.
public struct ConsoleOptions: Sendable {
    public var mode: ConsoleModel.Mode
    /// Hides and refuses every key that changes something.
    public var isReadOnly = false
    /// A theme's name or path.
    public var theme = "default"
    /// 7-bit characters only.
    public var isASCII = false
    public var hasMouse = true
    /// Time between snapshots.
    public var refreshMs = 1_000
    /// Where standard error goes while the console is up, appended to; nil: nowhere. Left alone when it is no terminal.
    public var errorFile: String?
    /// Where `e` writes its files.
    public var exportFolder = "."
    public var environment: [String: String]
    /// Folders searched for themes; nil: the usual ones (``ThemeLibrary/folders(environment:executable:)``).
    public var themeFolders: [String]?
    public var inputDescriptor: Int32 = 0
    public var outputDescriptor: Int32 = 1
    public var clock: any Clock

    public init(mode: ConsoleModel.Mode, clock: any Clock, environment: [String: String]) {
        self.mode = mode
        self.clock = clock
        self.environment = environment
    }

    /// The themes these options can reach, with `theme` among them where it exists.
    func library() -> (library: ThemeLibrary, name: String) {
        let folders = themeFolders ?? ThemeLibrary.folders(environment: environment, executable: ThemeLibrary.executablePath)
        var library = ThemeLibrary(folders: folders)
        // Without colour the mono theme's attributes say more than another's colours left out.
        let isColourless = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        let mono = isColourless && theme == "default" ? library.spec(named: "mono") : nil
        let spec = mono ?? library.find(theme) ?? library.spec(named: "default")
        return (library, spec?.name ?? "default")
    }
}
