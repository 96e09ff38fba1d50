/**
 * `chart.*`: charts of rows (`line`, `bars`, `scatter`, `matrix`), and of what the library reports
 * (`exits`, `cycles`, `exitRate`, `classes`). Each has a title, units on its axes, colours that a
 * colour-blind reader can tell apart, a description in words, and its numbers as a table.
 */
import { bars, line, scatter } from './general';
import { classes, matrix } from './matrix';
import { reportCharts } from './reports';

/** The charts of the lessons. */
export const chart = { ...reportCharts, line, bars, scatter, matrix, classes };
