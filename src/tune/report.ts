// A tuning run as one self-contained HTML page: figures, curves of loss and validation over steps and over seconds as inline SVG, settings. No script,
// no style sheet and no picture from elsewhere.

/** What a run looked like from step to step; all arrays of one kind have the same length. */
export interface TuneHistory {
  readonly steps: readonly number[]
  readonly seconds: readonly number[]
  /** mean loss of the step's samples or probes; NaN where a step had none */
  readonly losses: readonly number[]
  readonly validationSteps: readonly number[]
  readonly validationSeconds: readonly number[]
  /** accuracy, 0..1 */
  readonly validations: readonly number[]
}

/** A name and its text, as a row of a table. */
export type ReportRow = readonly [name: string, text: string]

export interface TuneReportPage {
  readonly title: string
  readonly figures: readonly ReportRow[]
  readonly settings: readonly ReportRow[]
  readonly history: TuneHistory
}

interface Point {
  readonly x: number
  readonly y: number
}

interface Chart {
  readonly title: string
  readonly xLabel: string
  readonly points: readonly Point[]
  readonly formatY: (y: number) => string
  readonly hasDots: boolean
}

const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)

/** Curves are drawn with at most so many points; each is the mean of a run of them. */
const MOST_POINTS = 400

/** Means of runs of points, those that are not finite left out. */
const thinned = (points: readonly Point[]): Point[] => {
  const finite = points.filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))
  const run = Math.ceil(finite.length / MOST_POINTS)
  const mean = (part: readonly Point[], of: (point: Point) => number): number => part.reduce((sum, point) => sum + of(point), 0) / part.length
  return Array.from({ length: run === 0 ? 0 : Math.ceil(finite.length / run) }, (_, k) => {
    const part = finite.slice(k * run, (k + 1) * run)
    return { x: mean(part, ({ x }) => x), y: mean(part, ({ y }) => y) }
  })
}

/** About `count` round numbers (1, 2 or 5 times a power of ten apart) within low..high. */
export const ticks = (low: number, high: number, count: number): number[] => {
  const raw = (high - low) / count
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= raw) ?? 10)
  const first = Math.ceil(low / step - 1e-9)
  return Array.from({ length: Math.max(0, Math.floor(high / step + 1e-9) - first + 1) }, (_, k) => Number(((first + k) * step).toPrecision(12)))
}

const WIDTH = 460
const HEIGHT = 260
const LEFT = 60
const RIGHT = 14
const TOP = 12
const BOTTOM = 40

/** Lowest and highest of the values, apart from each other even where all are the same. */
const span = (values: readonly number[]): readonly [number, number] => {
  const low = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
  const high = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  return high > low ? [low, high] : [low - (Math.abs(low) || 1) / 10, low + (Math.abs(low) || 1) / 10]
}

const short = (x: number): string => x.toFixed(1).replace(/\.0$/, '')

const drawChart = (chart: Chart): string => {
  const points = thinned(chart.points)
  const { title, xLabel, formatY } = chart
  if (points.length === 0) return `<figure><figcaption>${escapeHtml(title)}</figcaption><p>no values</p></figure>`
  const [lowX, highX] = span(points.map(({ x }) => x))
  const [lowY, highY] = span(points.map(({ y }) => y))
  const x = (value: number): string => short(LEFT + ((value - lowX) / (highX - lowX)) * (WIDTH - LEFT - RIGHT))
  const y = (value: number): string => short(HEIGHT - BOTTOM - ((value - lowY) / (highY - lowY)) * (HEIGHT - TOP - BOTTOM))
  const gridX = ticks(lowX, highX, 5).map(
    (t) =>
      `<line class="grid" x1="${x(t)}" x2="${x(t)}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/><text x="${x(t)}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${t}</text>`,
  )
  const gridY = ticks(lowY, highY, 4).map(
    (t) =>
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(t)}" y2="${y(t)}"/><text x="${LEFT - 6}" y="${y(t)}" dy="4" text-anchor="end">${escapeHtml(formatY(t))}</text>`,
  )
  const dots = chart.hasDots
    ? points.map((p) => `<circle cx="${x(p.x)}" cy="${y(p.y)}" r="3"><title>${escapeHtml(`${short(p.x)} ${xLabel}: ${formatY(p.y)}`)}</title></circle>`)
    : []
  return `<figure><figcaption>${escapeHtml(title)}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(`${title} over ${xLabel}`)}">
${[...gridX, ...gridY].join('\n')}
<polyline points="${points.map((p) => `${x(p.x)},${y(p.y)}`).join(' ')}"/>
${dots.join('\n')}
<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${escapeHtml(xLabel)}</text>
</svg></figure>`
}

const percentText = (share: number): string => `${Number((100 * share).toFixed(2))} %`
const lossText = (loss: number): string => String(Number(loss.toPrecision(4)))

const zip = (xs: readonly number[], ys: readonly number[]): Point[] => xs.map((x, i) => ({ x, y: ys[i] as number }))

const chartsOf = (history: TuneHistory): Chart[] =>
  (['steps', 'seconds'] as const).flatMap((unit): Chart[] => [
    { title: 'loss on mini-batches', xLabel: unit, points: zip(history[unit], history.losses), formatY: lossText, hasDots: false },
    {
      title: 'validation accuracy',
      xLabel: unit,
      points: zip(unit === 'steps' ? history.validationSteps : history.validationSeconds, history.validations),
      formatY: percentText,
      hasDots: true,
    },
  ])

const tableOf = (rows: readonly ReportRow[]): string =>
  `<table>\n${rows.map(([name, text]) => `<tr><th scope="row">${escapeHtml(name)}</th><td>${escapeHtml(text)}</td></tr>`).join('\n')}\n</table>`

const STYLE = `:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:1000px;margin:2em auto;padding:0 1em}
h1{font-size:1.5em}h2{font-size:1.1em}figure{margin:0}figcaption{font-weight:600}.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(320px,1fr));gap:1.5em}
svg{width:100%;height:auto}svg text{font-size:11px;fill:currentColor}.grid{stroke:currentColor;stroke-opacity:.15}polyline{fill:none;stroke:#2a78d0;stroke-width:1.5}
circle{fill:#2a78d0}th{text-align:left;font-weight:400;padding-right:2em;opacity:.75}td{font-variant-numeric:tabular-nums}`

/** The page of a run. */
export const tuneReportPage = ({ title, figures, settings, history }: TuneReportPage): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escapeHtml(title)}</h1>
<h2>Figures</h2>
${tableOf(figures)}
<h2>Curves</h2>
<div class="charts">
${chartsOf(history).map(drawChart).join('\n')}
</div>
<h2>Settings</h2>
${tableOf(settings)}
</body>
</html>
`
