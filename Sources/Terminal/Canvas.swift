/// One character cell.
///
/// A wide character takes two cells: its own, and a filler (scalar 0) that the screen skips.
public struct Cell: Hashable, Sendable {
    /// The Unicode scalar; 0 marks the second half of a wide character.
    public var scalar: UInt32
    /// One combining scalar drawn on top; 0 for none. Further ones are dropped.
    public var mark: UInt32
    public var style: Style

    public init(_ scalar: Unicode.Scalar = " ", mark: UInt32 = 0, style: Style = .plain) {
        self.scalar = scalar.value
        self.mark = mark
        self.style = style
    }

    public static let blank = Cell()
    public static func filler(_ style: Style) -> Cell {
        var cell = Cell(" ", style: style)
        cell.scalar = 0
        return cell
    }
    public var isFiller: Bool { scalar == 0 }
}

/// Columns and rows of a terminal.
public struct Size: Hashable, Sendable, CustomStringConvertible {
    public var columns: Int
    public var rows: Int

    public init(columns: Int, rows: Int) {
        self.columns = max(0, columns)
        self.rows = max(0, rows)
    }

    public var description: String { "\(columns)x\(rows)" }

    /// `100x30`; nil for anything else or beyond 1,000 either way.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "x", omittingEmptySubsequences: false)
        guard parts.count == 2, let columns = Int(parts[0]), let rows = Int(parts[1]) else { return nil }
        guard (1...1000).contains(columns), (1...1000).contains(rows) else { return nil }
        self.init(columns: columns, rows: rows)
    }
}

/// A part of a canvas, in cells from its left upper corner.
public struct Rect: Hashable, Sendable {
    public var x: Int
    public var y: Int
    public var width: Int
    public var height: Int

    public init(x: Int, y: Int, width: Int, height: Int) {
        self.x = x
        self.y = y
        self.width = max(0, width)
        self.height = max(0, height)
    }

    public var maxX: Int { x + width }
    public var maxY: Int { y + height }
    /// What lies inside a border.
    public var inner: Rect { Rect(x: x + 1, y: y + 1, width: width - 2, height: height - 2) }
    public var isEmpty: Bool { width <= 0 || height <= 0 }

    public func contains(x px: Int, y py: Int) -> Bool { px >= x && px < maxX && py >= y && py < maxY }
}

/// A frame: a grid of styled cells, drawn by pure functions and compared as a value.
///
/// Drawing outside the grid is cut off, never an error.
public struct Canvas: Hashable, Sendable {
    public let size: Size
    public private(set) var cells: [Cell]

    public init(size: Size, style: Style = .plain) {
        self.size = size
        cells = Array(repeating: Cell(" ", style: style), count: size.columns * size.rows)
    }

    public var bounds: Rect { Rect(x: 0, y: 0, width: size.columns, height: size.rows) }

    public subscript(x: Int, y: Int) -> Cell {
        get { isInside(x, y) ? cells[y * size.columns + x] : .blank }
        set {
            guard isInside(x, y) else { return }
            cells[y * size.columns + x] = newValue
        }
    }

    private func isInside(_ x: Int, _ y: Int) -> Bool { x >= 0 && y >= 0 && x < size.columns && y < size.rows }

    /// Writes a text and returns the column after it. At most `width` columns; what does not fit is cut, and the last column is then
    /// `ellipsis`, where one is given.
    @discardableResult
    public mutating func text(
        _ text: some StringProtocol, x: Int, y: Int, width: Int = .max, style: Style = .plain, ellipsis: Unicode.Scalar? = nil
    ) -> Int {
        let limit = width == .max ? size.columns : min(size.columns, x + width)
        var column = x
        let needsCut = ellipsis != nil && text.utf8.count > limit - x && CharacterWidth.of(text) > limit - x
        let end = needsCut ? limit - 1 : limit
        for scalar in text.unicodeScalars {
            let wide = CharacterWidth.of(scalar)
            if wide == 0 {
                addMark(scalar, before: column, y: y)
                continue
            }
            if column + wide > end { break }
            self[column, y] = Cell(scalar, style: style)
            if wide == 2 { self[column + 1, y] = .filler(style) }
            column += wide
        }
        if needsCut, let ellipsis, column < limit {
            self[column, y] = Cell(ellipsis, style: style)
            column += 1
        }
        return column
    }

    private mutating func addMark(_ scalar: Unicode.Scalar, before column: Int, y: Int) {
        // Only what combines: controls, joiners and direction overrides in a client's name must not reach the terminal.
        let isFormat = (0x2000...0x206F).contains(scalar.value) || scalar.value == 0xFEFF || scalar.value >= 0xE0000
        guard scalar.value >= 0x300, !isFormat, column > 0 else { return }
        let at = self[column - 1, y].isFiller ? column - 2 : column - 1
        guard isInside(at, y), self[at, y].mark == 0 else { return }
        self[at, y].mark = scalar.value
    }

    /// Writes a text so that it ends before column `right`; it is cut at its left never, at its right when wider than `width`.
    public mutating func rightText(_ text: some StringProtocol, right: Int, y: Int, width: Int, style: Style = .plain) {
        let wide = min(width, CharacterWidth.of(text))
        self.text(text, x: right - wide, y: y, width: wide, style: style)
    }

    public mutating func fill(_ rect: Rect, _ scalar: Unicode.Scalar = " ", style: Style = .plain) {
        for y in max(0, rect.y)..<max(0, rect.y, min(rect.maxY, size.rows)) {
            for x in max(0, rect.x)..<max(0, rect.x, min(rect.maxX, size.columns)) {
                cells[y * size.columns + x] = Cell(scalar, style: style)
            }
        }
    }

    /// Changes the look of what is drawn already, cell by cell.
    public mutating func restyle(_ rect: Rect, _ change: (Style) -> Style) {
        for y in max(0, rect.y)..<max(0, rect.y, min(rect.maxY, size.rows)) {
            for x in max(0, rect.x)..<max(0, rect.x, min(rect.maxX, size.columns)) {
                cells[y * size.columns + x].style = change(cells[y * size.columns + x].style)
            }
        }
    }

    /// The text of one row, without what trails blank.
    public func row(_ y: Int) -> String {
        var scalars = String.UnicodeScalarView()
        for x in 0..<size.columns {
            let cell = self[x, y]
            if cell.isFiller { continue }
            scalars.append(Unicode.Scalar(cell.scalar) ?? "?")
            if cell.mark != 0, let mark = Unicode.Scalar(cell.mark) { scalars.append(mark) }
        }
        var text = String(scalars)
        while text.hasSuffix(" ") { text.removeLast() }
        return text
    }

    /// All rows, one a line, each ended by a newline.
    public var plainText: String { (0..<size.rows).map { row($0) + "\n" }.joined() }
}
