import Terminal

/// Graphs and sparklines out of characters. A gap in a series stays blank.
enum Graph {
    /// Braille dot bits of a column, from the top of the cell down: left column, right column.
    private static let dots: [[UInt32]] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]]

    /// Values a graph of this width can show.
    static func columns(width: Int, glyphs: Glyphs) -> Int { glyphs.level == .braille ? width * 2 : width }

    /// An area graph; `isDown` hangs it from the top. `top` is the value of a full height.
    static func area(
        _ series: [Double?], in rect: Rect, top: Double, key: ThemeKey, isDown: Bool = false, on painter: inout Painter
    ) {
        guard !rect.isEmpty, top > 0 else { return }
        if painter.glyphs.level == .braille {
            brailleArea(series, in: rect, top: top, key: key, isDown: isDown, on: &painter)
        } else {
            stepArea(series, in: rect, top: top, key: key, on: &painter)
        }
    }

    private static func brailleArea(
        _ series: [Double?], in rect: Rect, top: Double, key: ThemeKey, isDown: Bool, on painter: inout Painter
    ) {
        let style = painter.style(key)
        let levels = rect.height * 4
        for x in 0..<rect.width {
            let heights = (0..<2).map { half -> Int in
                let index = x * 2 + half
                guard series.indices.contains(index), let value = series[index] else { return 0 }
                return height(value, top: top, levels: levels)
            }
            for row in 0..<rect.height {
                // Row counted from the base line.
                var bits: UInt32 = 0
                for half in 0..<2 {
                    let filled = min(4, max(0, heights[half] - row * 4))
                    for dot in 0..<filled { bits |= dots[half][isDown ? dot : 3 - dot] }
                }
                guard bits != 0 else { continue }
                let (column, line) = (rect.x + x, isDown ? rect.y + row : rect.maxY - 1 - row)
                // A layer drawn before keeps its dots above this one's.
                let under = painter.canvas[column, line].scalar
                if (0x2800...0x28FF).contains(under) { bits |= under - 0x2800 }
                if let scalar = Unicode.Scalar(0x2800 + bits) { painter.canvas[column, line] = Cell(scalar, style: style) }
            }
        }
    }

    private static func stepArea(_ series: [Double?], in rect: Rect, top: Double, key: ThemeKey, on painter: inout Painter) {
        let style = painter.style(key)
        let steps = painter.glyphs.steps
        for x in 0..<min(rect.width, series.count) {
            guard let value = series[x] else { continue }
            let filled = height(value, top: top, levels: rect.height * 8)
            for row in 0..<rect.height {
                let part = min(8, max(0, filled - row * 8))
                if part > 0 { painter.canvas[rect.x + x, rect.maxY - 1 - row] = Cell(steps[part], style: style) }
            }
        }
    }

    /// Levels of a value: at least one for anything above 0.
    private static func height(_ value: Double, top: Double, levels: Int) -> Int {
        guard value > 0, value.isFinite else { return 0 }
        return max(1, min(levels, Int((value / top * Double(levels)).rounded())))
    }

    /// A line of a row's last values, scaled to their own largest.
    static func spark(_ values: [Double?], width: Int, glyphs: Glyphs) -> String {
        guard width > 0 else { return "" }
        let shown = fit(values, to: width)
        let top = shown.compactMap { $0 }.max() ?? 0
        var scalars = String.UnicodeScalarView()
        for value in shown {
            guard let value else {
                scalars.append(" ")
                continue
            }
            let level = top > 0 ? max(1, Int((value / top * 8).rounded())) : 1
            scalars.append(glyphs.steps[min(8, max(1, level))])
        }
        return String(scalars)
    }

    /// The last values in exactly `width` columns: means where there are more, blanks at the left where there are fewer.
    static func fit(_ values: some RandomAccessCollection<Double?>, to width: Int) -> [Double?] {
        guard values.count > width else { return Array(repeating: nil, count: width - values.count) + values }
        let values = Array(values)
        return (0..<width).map { column in
            let part = values[(column * values.count / width)..<((column + 1) * values.count / width)].compactMap { $0 }
            return part.isEmpty ? nil : part.reduce(0, +) / Double(part.count)
        }
    }

    /// The last `points` values over all columns, whatever their number: means where there are more, repeats where there are fewer.
    static func window(_ values: [Double?], points: Int, columns: Int) -> [Double?] {
        guard points > 0, columns > 0 else { return [] }
        let padded = fit(values.suffix(points), to: points)
        if points >= columns { return fit(padded, to: columns) }
        return (0..<columns).map { padded[$0 * points / columns] }
    }

    /// The round figure at or above a peak that an axis ends at: 1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8 times a power of ten.
    static func axisTop(_ peak: Double) -> Double {
        guard peak > 0, peak.isFinite else { return 1 }
        var power = 1.0
        while power * 10 <= peak { power *= 10 }
        while power > peak { power /= 10 }
        for step in [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10] where step * power >= peak * 0.999 { return step * power }
        return power * 10
    }

    /// A bar of a share between 0 and 1.
    static func bar(_ share: Double, width: Int, glyphs: Glyphs) -> String {
        let filled = share > 0 ? max(1, Int((min(1, share) * Double(width)).rounded())) : 0
        return String(String.UnicodeScalarView(repeatElement(glyphs.bar, count: min(width, filled))))
    }
}
