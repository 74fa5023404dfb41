// Colours of posters, per genre: ground, ink that reads on it (at least 4.5:1, see tests/browser), then three hues for
// the drawing. The hues are Okabe–Ito's (as in --data-1 … --data-8) with darker and paler neighbours.

/** @typedef {[ground: string, ink: string, first: string, second: string, third: string]} Palette */

const ORANGE = "#e69f00", SKY = "#56b4e9", GREEN = "#009e73", YELLOW = "#f0e442";
const BLUE = "#0072b2", RED = "#d55e00", ROSE = "#cc79a7";
const CREAM = "#f4ead9", NIGHT = "#15110e", BARK = "#2a1a12", SEA = "#0c2739";

/** @type {Record<string, Palette[]>} */
export const PALETTES = {
  Drama: [
    [CREAM, BARK, RED, BARK, ORANGE], ["#20303d", "#eef3f5", SKY, ORANGE, CREAM], ["#5a231b", "#f9eadb", ORANGE, CREAM, RED],
    ["#d8d2c4", "#231d17", BLUE, "#231d17", RED], ["#143d33", "#eaf5ee", YELLOW, GREEN, CREAM], ["#3d2338", "#f7e9f2", ROSE, ORANGE, CREAM],
  ],
  Action: [[CREAM, "#2a0f05", RED, "#2a0f05", ORANGE], ["#1d1a1a", "#fbeee2", RED, ORANGE, CREAM], ["#e8b52c", "#241a00", "#241a00", RED, CREAM]],
  Adventure: [["#d3e8f3", "#0b2b40", BLUE, "#0b2b40", ORANGE], ["#f3dcb4", "#3a1d08", RED, "#7a3512", BLUE], ["#12343b", "#e8f4f1", GREEN, "#7fd0b5", YELLOW]],
  Animation: [["#7cc5ee", "#06243a", YELLOW, CREAM, RED], ["#f7c8a0", "#3b1a08", RED, BLUE, CREAM], ["#3c2a5c", "#f6effc", ROSE, YELLOW, SKY]],
  Children: [[YELLOW, "#2b2600", RED, BLUE, GREEN], ["#bfe6d8", "#083325", ORANGE, GREEN, BLUE], ["#f6cfd9", "#4a1128", BLUE, RED, ORANGE]],
  Comedy: [["#2fb38b", "#02251a", YELLOW, CREAM, "#02251a"], ["#f2b632", "#2e1d00", RED, CREAM, BLUE], ["#f2e6d3", "#2c1f12", GREEN, RED, ORANGE], ["#b3401f", "#fff3e6", YELLOW, CREAM, "#3d1206"]],
  Crime: [["#e2702a", "#1c0a02", "#1c0a02", CREAM, YELLOW], ["#1b1a1d", "#f4ead9", RED, CREAM, ORANGE], ["#cfc6b4", "#1e1913", "#1e1913", RED, BLUE], ["#7c1f12", "#fdeee0", NIGHT, ORANGE, CREAM]],
  Documentary: [["#ece4d3", "#221b14", "#c9bfa9", RED, BLUE], ["#26323a", "#eef3f5", "#465661", ORANGE, SKY], ["#d9e2dc", "#13261d", "#b3c4ba", GREEN, RED]],
  Fantasy: [["#0b3f33", "#eef7ee", GREEN, "#7fd0b5", YELLOW], ["#2b1d4a", "#f3ecfb", "#6b4fa0", ROSE, YELLOW], ["#f0dfc0", "#33200c", ORANGE, "#8a4b12", RED]],
  "Film-Noir": [[NIGHT, CREAM, "#e9dcc0", NIGHT, RED], ["#1b2227", "#eaf0f2", "#c8d5db", "#1b2227", ORANGE]],
  Horror: [["#170b09", "#f8e9da", "#c93f12", "#170b09", CREAM], ["#0f1c17", "#e6f3ea", "#6fae7c", "#0f1c17", YELLOW], ["#b8320c", "#fff2e8", NIGHT, "#b8320c", CREAM]],
  Musical: [["#dd9dbf", "#330d24", "#330d24", RED, YELLOW], ["#173a5e", "#eef5fb", SKY, YELLOW, ROSE], ["#f4e1a6", "#38240a", RED, "#38240a", BLUE]],
  Mystery: [["#2a2342", "#f4ecf8", "#574779", ROSE, CREAM], ["#10302f", "#e6f5f2", "#2c6b64", ORANGE, CREAM], ["#d9cfbb", "#241a10", "#b9a988", RED, "#241a10"]],
  Romance: [["#f6e2e8", "#4a1230", RED, ROSE, "#4a1230"], ["#fbe6cf", "#4b1a0c", ORANGE, RED, "#4b1a0c"], ["#e3eaf6", "#1b2450", ROSE, BLUE, "#1b2450"]],
  "Sci-Fi": [[SEA, "#e9f4fb", SKY, ORANGE, YELLOW], ["#1d1233", "#f1eafd", ROSE, SKY, CREAM], ["#e4e9ea", "#14262f", BLUE, RED, "#14262f"], ["#0d2b26", "#e4f6f0", GREEN, YELLOW, CREAM]],
  Thriller: [["#10202a", "#f3f0dc", YELLOW, RED, CREAM], ["#efe6d4", "#1d150e", "#1d150e", RED, ORANGE], ["#33131a", "#fbe9e6", ORANGE, CREAM, RED]],
  War: [["#454536", "#f5efdf", "#8b8a70", RED, CREAM], ["#2c3238", "#f0f2f3", "#5f6a74", ORANGE, CREAM], ["#c9bfa3", "#26220f", "#8f8562", "#7c1f12", BARK]],
  Western: [["#eca92c", "#2a1604", RED, "#6d2a0c", CREAM], ["#f0d9b5", "#3c1a07", ORANGE, "#8a3a12", RED], ["#3b1c2b", "#fbe8d8", RED, "#120609", ORANGE]],
  Other: [["#3b3732", CREAM, "#8f877c", ORANGE, SKY], ["#dcd6ca", "#262019", "#a89f8f", BLUE, RED]],
};
