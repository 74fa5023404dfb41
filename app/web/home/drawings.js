// One or two abstract drawings per genre, on a field of 200 × 170. Each takes dice and the three hues of the poster's
// palette (and its ground) and gives shapes as [tag, attributes].

/** @typedef {[string, Record<string, unknown>]} Shape */
/** @typedef {() => number} Dice */
/** @typedef {(roll: Dice, first: string, second: string, third: string, ground: string) => Shape[]} Draw */

/** @param {number} count @param {(index: number) => Shape} make @returns {Shape[]} */
const times = (count, make) => Array.from({ length: count }, (_, index) => make(index));
/** @param {Dice} roll @param {number} low @param {number} high */
const between = (roll, low, high) => low + roll() * (high - low);
/** @param {number} cx @param {number} cy @param {number} r @param {string} fill @param {Record<string, unknown>} [more] @returns {Shape} */
const disc = (cx, cy, r, fill, more) => ["circle", { cx, cy, r, fill, ...more }];
/** @param {number} cx @param {number} cy @param {number} r @param {string} stroke @param {number} width @returns {Shape} */
const ring = (cx, cy, r, stroke, width) => ["circle", { cx, cy, r, fill: "none", stroke, "stroke-width": width }];
/** @param {string} d @param {string} fill @param {Record<string, unknown>} [more] @returns {Shape} */
const path = (d, fill, more) => ["path", { d, fill, ...more }];
/** @param {number} x @param {number} y @param {number} width @param {number} height @param {string} fill @param {number} [turn] degrees, about the centre @returns {Shape} */
const box = (x, y, width, height, fill, turn = 0) => ["rect", { x, y, width, height, fill, transform: `rotate(${turn} ${x + width / 2} ${y + height / 2})` }];

/** @type {Record<string, Draw[]>} */
export const DRAWINGS = {
  Drama: [
    (roll, first, second) => {
      const x = between(roll, 62, 138), r = between(roll, 40, 62), turn = `rotate(${Math.round(between(roll, -40, 40))} ${x} 88)`;
      return [
        path(`M${x - r} 85a${r} ${r} 0 0 1 ${2 * r} 0z`, first, { transform: turn }),
        path(`M${x - r + between(roll, -r, r) * 0.6} 91a${r} ${r} 0 0 0 ${2 * r} 0z`, second, { transform: turn }),
      ];
    },
    (roll, first, second, third) => {
      const split = between(roll, 60, 140), lean = between(roll, -50, 50);
      return [path(`M0 0H${split + lean}L${split - lean} 156H0z`, first), disc(split, between(roll, 60, 98), between(roll, 20, 34), second), disc(split + 6, 78, 9, third)];
    },
    (roll, first, second, third) => times(7, (i) => {
      const tall = between(roll, 26, 132);
      return box(18 + i * 24, 156 - tall, 17, tall, [first, second, first, third, first, second, first][i]);
    }),
  ],
  Action: [
    (roll, first, second, third) => {
      const lean = between(roll, 65, 115), gap = between(roll, 26, 38);
      return times(5, (i) => path(`M${-20 + i * gap + between(roll, -6, 6)} 154h${between(roll, 6, 22)}l${lean}-154h-18z`, [first, second, third][i % 3]));
    },
    (roll, first, second, third) => {
      const x = between(roll, 70, 130), points = 11 + Math.floor(roll() * 4);
      /** @param {number} inner @param {number} outer */
      const burst = (inner, outer) => "M" + Array.from({ length: points * 2 }, (_, i) => {
        const r = i % 2 ? inner : outer * between(roll, 0.8, 1.1), a = (i * Math.PI) / points;
        return `${(x + r * Math.cos(a)).toFixed(1)} ${(80 + r * Math.sin(a)).toFixed(1)}`;
      }).join("L") + "z";
      return [path(burst(44, 76), first), path(burst(26, 48), third), disc(x, 80, 13, second)];
    },
  ],
  Adventure: [
    (roll, first, second, third) => [
      disc(between(roll, 40, 160), between(roll, 30, 52), between(roll, 16, 26), third),
      ...times(3, (i) => {
        const x = 20 + i * 68 + between(roll, -16, 16), h = between(roll, 55, 112);
        return path(`M${x - h * 0.85} 160L${x} ${160 - h}L${x + h * 0.85} 160z`, [first, second, first][i], { opacity: i === 2 ? 0.75 : 1 });
      }),
    ],
    (roll, first, second, third) => [
      ...times(4, (i) => path(`M-10 ${62 + i * 25}q27-${between(roll, 16, 34)} 55 0t55 0t55 0t55 0V175H-10z`, i % 2 ? first : second, { opacity: 0.55 + i * 0.15 })),
      path(`M${between(roll, 60, 110)} 66l34-46v46z`, third),
    ],
  ],
  Animation: [
    (roll, first, second, third) => times(4, (i) =>
      disc(32 + i * 46 + between(roll, -10, 10), 84 + 40 * Math.sin(i * 1.7 + roll() * 2), between(roll, 15, 31), [first, second, third, first][i])),
    (roll, first, second, third) => {
      const start = between(roll, 20, 60);
      return times(7, (i) => disc(start + i * 22, 130 - Math.abs(Math.sin(0.4 + i * 0.62)) * 96, 8 + i * 1.6, [first, second, third][i % 3], { opacity: 0.4 + i * 0.1 }));
    },
  ],
  Children: [(roll, first, second, third) => {
    const [x, y, z] = [48, 104, 156].map((at) => at + between(roll, -8, 8));
    return [disc(x, between(roll, 55, 105), 30, first), box(y - 24, between(roll, 34, 84), 48, 48, second, Math.round(between(roll, -30, 30))),
      path(`M${z - 30} 118L${z} ${between(roll, 48, 70)}L${z + 30} 118z`, third)];
  }],
  Comedy: [
    (roll, first, second, third) => times(16, (i) =>
      box(between(roll, 8, 182), between(roll, 8, 130), between(roll, 5, 11), between(roll, 16, 34), [first, second, third][i % 3], Math.round(between(roll, 0, 180)))),
    (roll, first, second, third) => {
      const x = between(roll, 82, 118), turn = `rotate(${Math.round(between(roll, -16, 16))} ${x} 80)`;
      return [disc(x, 80, 62, first), path(`M${x - 42} 86a42 42 0 0 0 84 0z`, third, { transform: turn }),
        disc(x - 21, 60, 8, third, { transform: turn }), path(`M${x + 12} 60h19`, "none", { stroke: third, "stroke-width": 7, transform: turn }), disc(x, 20, 9, second, { transform: turn })];
    },
    (roll, first, second, third) => times(12, (i) => disc(28 + (i % 4) * 48, 30 + Math.floor(i / 4) * 46, between(roll, 7, 21), [first, second, third][Math.floor(roll() * 3)])),
  ],
  Crime: [
    (roll, first, second) => {
      const x = between(roll, 60, 140), y = between(roll, 62, 96);
      return [...times(4, (i) => ring(x, y, 16 + i * 17, first, i === 0 ? 9 : 3)), path(`M${x} 0v160M0 ${y}h200`, "none", { stroke: second, "stroke-width": 2.5 })];
    },
    (roll, first, second, third) => {
      const lit = Math.floor(roll() * 20);
      return times(20, (i) => box(22 + (i % 5) * 33, 16 + Math.floor(i / 5) * 36, 22, 26, i === lit ? third : i % 3 === lit % 3 ? second : first));
    },
    (roll, first, second) => {
      const x = between(roll, 40, 70);
      return times(9, (i) => path(`M${x + i * 5} ${18 + i * 15}h${between(roll, 50, 110)}v8h-96z`, i === 4 ? second : first));
    },
  ],
  Documentary: [(roll, first, second, third) => {
    const hot = Math.floor(roll() * 24);
    return times(24, (i) => box(18 + (i % 6) * 28, 22 + Math.floor(i / 6) * 31, 23, 26, i === hot ? second : i === (hot + 9) % 24 ? third : first));
  }],
  Fantasy: [
    (roll, first, second, third, ground) => {
      const x = between(roll, 80, 120);
      return [...times(4, (i) => {
        const r = 76 - i * 19;
        return path(`M${x - r} 170V${98 - i * 2}a${r} ${r} 0 0 1 ${2 * r} 0V170z`, [first, ground, second, ground][i]);
      }), disc(x + between(roll, -4, 4), between(roll, 96, 120), 9, third)];
    },
    (roll, first, second, third, ground) => {
      const x = between(roll, 70, 130);
      return [disc(x, 78, 52, third), disc(x + 22, 66, 44, ground), ...times(9, () => {
        const sx = between(roll, 14, 186), sy = between(roll, 12, 146), s = between(roll, 3, 7);
        return path(`M${sx} ${sy - s}l${s / 3} ${s * 0.66}l${s * 0.66} ${s / 3}l-${s * 0.66} ${s / 3}l-${s / 3} ${s * 0.66}l-${s / 3}-${s * 0.66}l-${s * 0.66}-${s / 3}l${s * 0.66}-${s / 3}z`, roll() < 0.5 ? first : second);
      })];
    },
  ],
  "Film-Noir": [(roll, first, second) => {
    const lean = between(roll, -26, 26);
    return [path(`M${100 + lean} 0L${190 + lean} 170L${10 + lean} 170z`, first), ...times(11, (i) => box(0, i * 16, 200, between(roll, 7, 10), second))];
  }],
  Horror: [
    (roll, first, second) => {
      let edge = "M0 170V128";
      for (let at = 0; at < 200; at += 20) edge += `L${at + 10} ${between(roll, 62, 128)}L${at + 20} ${between(roll, 118, 138)}`;
      return [disc(between(roll, 62, 138), 72, between(roll, 40, 54), first), path(`${edge}V170z`, second)];
    },
    (roll, first, second, third) => {
      const y = between(roll, 66, 92), r = between(roll, 26, 34);
      return [path(`M18 ${y}Q100 ${y - 92} 182 ${y}Q100 ${y + 92} 18 ${y}z`, third), disc(100, y, r, first), path(`M100 ${y - r}q13 ${r} 0 ${2 * r}q-13-${r} 0-${2 * r}z`, second)];
    },
  ],
  Musical: [(roll, first, second, third) => {
    const bend = between(roll, 20, 44);
    return [
      ...times(5, (i) => path(`M-10 ${44 + i * 19}C60 ${44 + i * 19 - bend} 130 ${44 + i * 19 + bend} 210 ${44 + i * 19}`, "none", { stroke: first, "stroke-width": 1.6 })),
      ...times(4, (i) => ["ellipse", { cx: 34 + i * 44, cy: between(roll, 44, 116), rx: 12, ry: 9, fill: [first, second, first, third][i], transform: "rotate(-14 100 80)" }]),
    ];
  }],
  Mystery: [
    (roll, first, second, third, ground) => {
      const x = between(roll, 82, 118);
      return [...times(3, (i) => disc(x + i * between(roll, -4, 4), 80, 68 - i * 19, [first, second, ground][i])), path(`M${x - 9} 110L${x - 4} 78h8L${x + 9} 110z`, third), disc(x, 74, 11, third)];
    },
    (roll, first, second, third) => {
      const odd = Math.floor(roll() * 6);
      return times(6, (i) => path(`M${24 + (i % 3) * 54} 148V${i < 3 ? 44 : 112}h${i < 3 ? 40 : 0}V148z`, i === odd % 3 ? second : first)).slice(0, 3)
        .concat([disc(57 + (odd % 3) * 54, 98, 3.4, third), path(`M${24 + (odd % 3) * 54} 148h40l22 20h-62z`, second, { opacity: 0.5 })]);
    },
  ],
  Romance: [
    (roll, first, second) => {
      const gap = between(roll, 22, 38), y = between(roll, 72, 90), slope = between(roll, -14, 14);
      return [disc(100 - gap, y + slope, 46, first, { opacity: 0.9 }), disc(100 + gap, y - slope, 46, second, { class: "multiply" })];
    },
    (roll, first, second, third) => {
      const y = between(roll, 70, 92), lift = between(roll, 30, 56);
      return [path(`M-10 ${y}C50 ${y - lift} 80 ${y - lift} 100 ${y}S150 ${y + lift} 210 ${y}`, "none", { stroke: first, "stroke-width": 11 }),
        path(`M-10 ${y}C50 ${y + lift} 80 ${y + lift} 100 ${y}S150 ${y - lift} 210 ${y}`, "none", { stroke: second, "stroke-width": 11 }), disc(100, y, 13, third)];
    },
  ],
  "Sci-Fi": [
    (roll, first, second, third) => {
      const tilt = Math.round(between(roll, -35, 35)), turn = `rotate(${tilt} 100 82)`;
      return [
        ...times(12, () => disc(between(roll, 5, 195), between(roll, 5, 156), between(roll, 0.7, 1.5), third)),
        ...times(3, (i) => /** @type {Shape} */ (["ellipse", { cx: 100, cy: 82, rx: 44 + i * 22, ry: 13 + i * 9, fill: "none", stroke: first, "stroke-width": 1.6, transform: turn }])),
        disc(100, 82, between(roll, 18, 30), second), disc(100 + 66 * Math.cos(tilt / 57.3), 82 + 66 * Math.sin(tilt / 57.3), 6, third),
      ];
    },
    (roll, first, second, third) => {
      const x = between(roll, 60, 140);
      return [disc(x, 52, between(roll, 20, 30), second), ...times(6, (i) => path(`M-20 ${94 + i * i * 2.6}H220`, "none", { stroke: first, "stroke-width": 1.5 })),
        ...times(11, (i) => path(`M${x + (i - 5) * 13} 94L${x + (i - 5) * 48} 162`, "none", { stroke: first, "stroke-width": 1.5 })), disc(x + 44, 30, 3, third)];
    },
    (roll, first, second, third) => times(6, (i) => ring(100 + between(roll, -6, 6), 80, 12 + i * 12, [second, first, third, first, first, first][i], i === 0 ? 12 : between(roll, 1.2, 4.5))),
  ],
  Thriller: [
    (roll, first, second, third, ground) => {
      const x = between(roll, 55, 145), y = between(roll, 46, 100);
      return [...times(18, (i) => {
        const a = (i / 18) * 2 * Math.PI + roll() * 0.2;
        return path(`M${x} ${y}L${x + 260 * Math.cos(a)} ${y + 260 * Math.sin(a)}L${x + 260 * Math.cos(a + 0.13)} ${y + 260 * Math.sin(a + 0.13)}z`, first, { opacity: 0.85 });
      }), disc(x, y, 20, ground), disc(x, y, 6, second)];
    },
    (roll, first, second) => {
      const turn = between(roll, 5, 11) * (roll() < 0.5 ? -1 : 1);
      return times(6, (i) => ["rect", { x: 30 + i * 12, y: 12 + i * 12, width: 140 - i * 24, height: 140 - i * 24, fill: "none", stroke: i === 5 ? second : first, "stroke-width": 3.4, transform: `rotate(${(i * turn).toFixed(1)} 100 82)` }]);
    },
  ],
  War: [
    (roll, first, second) => {
      const shift = between(roll, -18, 18), hot = Math.floor(roll() * 4);
      return times(4, (i) => path(`M${20 + shift} ${48 + i * 29}L${100 + shift} ${8 + i * 29}L${180 + shift} ${48 + i * 29}v14L${100 + shift} ${22 + i * 29}L${20 + shift} ${62 + i * 29}z`, i === hot ? second : first));
    },
    (roll, first, second) => {
      const x = between(roll, 55, 145), lean = between(roll, -16, 16);
      return [disc(x, 70, between(roll, 36, 48), second), ...times(4, (i) => path(`M0 ${78 + i * 22 - lean}L200 ${78 + i * 22 + lean}v${5 + i * 4}L0 ${83 + i * 26 - lean}z`, first))];
    },
  ],
  Western: [(roll, first, second) => {
    const x = between(roll, 60, 140);
    return [disc(x, 82, 46, first), path(`M0 170V128H${x - 52}l6-34h34l5 34H${x + 30}l4-18h26l5 18H200V170z`, second)];
  }],
  Other: [(roll, first, second) => {
    const hot = Math.floor(roll() * 6);
    return times(6, (i) => ring(100, 80, 12 + i * 12, i === hot ? second : first, 3));
  }],
};
